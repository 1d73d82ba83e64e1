import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, chromium, openBrowser } from '../chromium.ts'
import { type MongoProcess, startMongoProcess } from '../mongo/mongo-process.ts'
import { ownMongo } from '../mongo/need.ts'
import { describeWith } from '../needs.ts'
import { startServer, type TestServer } from '../server.ts'
import { owner } from '../shop.ts'
import { axeViolations, watchConsole } from './shop.ts'

/** The driver looks for its server for three seconds, a page asks every two, and the machine may be busy. */
const TIMEOUT_MS = 90_000
const away = 'The figures cannot be read right now'

describeWith(ownMongo.missing === null ? chromium : ownMongo, 'pages while the store is away', () => {
  let mongo: MongoProcess
  let server: TestServer
  let browser: Browser
  let complaints: string[]

  beforeAll(async () => {
    mongo = await startMongoProcess({ keepsData: true })
    await mongo.stop()
    const env = { STORE_URL: `${mongo.url}/shop`, LOG_LEVEL: 'silent' }
    server = await startServer({ args: ['--no-demo'], env })
    browser = await openBrowser()
    complaints = watchConsole(browser.context)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop('SIGKILL')
    await mongo?.close()
  })

  const page = () => browser.context.pages()[0]!
  const shows = (title: string) => page().locator('h1', { hasText: title }).waitFor({ timeout: TIMEOUT_MS })
  const answer = async (path: string) => {
    const response = await fetch(server.url + path, { headers: { accept: 'application/json' } })
    return { status: response.status, body: await response.text() }
  }

  it('say so from the start, and programs are told without where the store is', async () => {
    for (const path of ['/', '/users/a%2Fb/journey']) {
      const response = await page().goto(server.url + path, { timeout: TIMEOUT_MS })
      expect([path, response?.status()]).toEqual([path, 503])
      await shows(away)
      expect(await page().textContent('.error-page')).toContain('none is lost')
    }
    expect(await axeViolations(page())).toEqual([])
    // Each takes as long as the driver looks for its server.
    const answers = await Promise.all(['/stats', '/trpc/stats.site', '/api/auth/get-session'].map(answer))
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([503, expect.stringContaining('Events are still taken')])
      expect(body).not.toContain('127.0.0.1')
    }
  })

  it('come by themselves when it is there', async () => {
    await page().goto(`${server.url}/dashboard`, { timeout: TIMEOUT_MS })
    await shows(away)
    const posted = await fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: 'u1', sessionId: 's1', type: 'page_view', payload: { url: '/' } }),
    })
    expect(posted.status).toBe(202)
    await mongo.start()
    await page().waitForURL('**/signup', { timeout: TIMEOUT_MS })
    const waiting = async () =>
      ((await (await fetch(`${server.url}/health`)).json()) as { bufferSize: number }).bufferSize
    await expect.poll(waiting).toBe(0)
    await page().reload()
    await page().fill('[name=name]', owner.name)
    await page().fill('[name=email]', owner.email)
    await page().fill('[name=password]', owner.password)
    await page().fill('[name=siteName]', 'Nordlicht Outdoor')
    // The zone in which the event was counted.
    expect(await page().inputValue('[name=timeZone]')).toBe('UTC')
    await page().click('button[type=submit]')
    await page().waitForURL('**/dashboard', { timeout: TIMEOUT_MS })
    await shows('Dashboard')
  })

  it('keep their figures while it is away, and go on with what came meanwhile', async () => {
    const total = () =>
      page()
        .locator('.kpi', { has: page().locator('dt:text-is("Total Events")') })
        .locator('.v')
    await expect.poll(() => total().textContent(), { timeout: TIMEOUT_MS }).toBe('1')
    await mongo.stop()
    await page()
      .locator('[role=status]', { hasText: 'The database does not answer, retrying · figures of' })
      .waitFor({ timeout: TIMEOUT_MS })
    expect(await total().textContent()).toBe('1')
    const events = [2, 3].map((n) => ({ userId: `u${n}`, sessionId: 's1', type: 'page_view', payload: { url: '/' } }))
    const posted = await fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    })
    expect(posted.status).toBe(202)
    await mongo.start()
    await expect.poll(() => total().textContent(), { timeout: TIMEOUT_MS }).toBe('3')
  })

  it('tell the owner what is away on the System page, and that events are taken', async () => {
    await page().goto(`${server.url}/system`, { timeout: TIMEOUT_MS })
    await shows('System')
    await page().waitForSelector('.plot .pointer')
    await mongo.stop()
    const banner = page().locator('.banner.warn')
    await banner.waitFor({ timeout: TIMEOUT_MS })
    expect(await banner.textContent()).toContain('Events are still taken and wait in its log: none is lost.')
    expect(await page().textContent('.sub')).toContain('the database does not answer, retrying')
    const age = await banner.textContent()
    await expect.poll(() => banner.textContent(), { timeout: TIMEOUT_MS }).not.toBe(age)
    expect(await axeViolations(page())).toEqual([])
    await mongo.start()
    await banner.waitFor({ state: 'detached', timeout: TIMEOUT_MS })
  })

  it('say so on the way from page to page too, with the frame around it', async () => {
    await page().goto(`${server.url}/users`, { timeout: TIMEOUT_MS })
    await page().locator('.shortcuts-hint').waitFor({ state: 'attached' })
    await mongo.stop()
    await page().getByRole('navigation', { name: 'Main' }).first().getByRole('link', { name: 'Dashboard' }).click()
    await shows(away)
    expect(await page().textContent('.error-page')).toContain('503 · Store away')
    await mongo.start()
    await shows('Dashboard')
  })

  it('lead back to where the reader wanted to go', async () => {
    await mongo.stop()
    await page().goto(`${server.url}/users?sort=orders&order=desc`, { timeout: TIMEOUT_MS })
    await shows(away)
    await mongo.start()
    await shows('Users')
    expect(new URL(page().url()).search).toBe('?sort=orders&order=desc')
    expect(complaints).toEqual([])
  })
})
