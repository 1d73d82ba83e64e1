import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, openBrowser } from '../chromium.ts'
import { startServer, type TestServer } from '../server.ts'
import { owner } from '../shop.ts'
import { atWork, axeViolations, describePages, newStore, watchConsole } from './shop.ts'

/** Half past eleven in the evening of 20 November in UTC is the 21st in Kathmandu. */
const evening = '2026-11-20T23:30:00.000Z'

describePages('the first run of a shop', (store) => {
  let server: TestServer
  let browser: Browser
  let complaints: string[]

  beforeAll(async () => {
    server = await startServer({ args: ['--no-demo'], env: await newStore(store) })
    browser = await openBrowser({ viewport: { width: 1440, height: 900 } })
    complaints = watchConsole(browser.context)
  })
  afterAll(() => browser?.close())

  const page = () => browser.context.pages()[0]!
  const fill = async () => {
    await page().fill('[name=name]', owner.name)
    await page().fill('[name=email]', owner.email)
    await page().fill('[name=password]', owner.password)
    await page().fill('[name=siteName]', 'Nordlicht Outdoor')
    await page().selectOption('[name=currency]', 'CHF')
  }

  it('goes on where events came before the owner, with the zone chosen or said to stay', async () => {
    const posted = await fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        userId: 'u1',
        sessionId: 's1',
        type: 'page_view',
        payload: { url: '/' },
        occurredAt: evening,
      }),
    })
    expect(posted.status).toBe(202)
    await expect
      .poll(async () => ((await (await fetch(`${server.url}/health`)).json()) as { bufferSize: number }).bufferSize)
      .toBe(0)
    await page().goto(`${server.url}/signup`)
    await fill()
    const zone = store === 'sqlite' ? 'Asia/Kathmandu' : 'UTC'
    if (store === 'sqlite') await page().selectOption('[name=timeZone]', zone)
    else {
      expect(await page().inputValue('[name=timeZone]')).toBe('UTC')
      expect(await page().textContent('#timeZone-below')).toContain('counted by the days of UTC, so it stays')
    }
    expect(await axeViolations(page())).toEqual([])
    await page().click('button[type=submit]')
    await page().waitForURL('**/dashboard')
    await atWork(page())
    expect(await page().textContent('footer.foot')).toContain(`All times in ${zone}`)
    const day = store === 'sqlite' ? '2026-11-21' : '2026-11-20'
    await page().goto(`${server.url}/dashboard?from=${day}&to=${day}`)
    await page().locator('.kpi .v', { hasText: /^1$/ }).first().waitFor()
    expect(await page().textContent('.view-bar')).toContain('Nordlicht Outdoor')
  })

  it('leaves nothing behind when the shop cannot be as it is wished', async () => {
    const other = await startServer({ args: ['--no-demo'], env: { ...(await newStore(store)), LOG_LEVEL: 'error' } })
    await browser.context.clearCookies()
    await page().goto(`${other.url}/signup`)
    await fill()
    // As an older browser may send it, which knows a zone that we do not.
    await page().evaluate(() => {
      const option = new Option('Mars/Olympus', 'Mars/Olympus', true, true)
      document.querySelector('[name=timeZone]')?.append(option)
    })
    await page().selectOption('[name=timeZone]', 'Mars/Olympus')
    await page().click('button[type=submit]')
    await page().waitForSelector('#timeZone[aria-invalid=true]')
    await page().selectOption('[name=timeZone]', 'Asia/Kathmandu')
    await page().fill('[name=password]', owner.password)
    await page().click('button[type=submit]')
    await page().waitForURL('**/dashboard')
    await page().locator('h1', { hasText: 'Send your first event' }).waitFor()
    await other.stop()
  })

  it('makes the key of the first command, which works as it is shown and as it is copied', async () => {
    const strict = await startServer({
      args: ['--no-demo'],
      env: { INGEST_KEYLESS: 'refuse', ...(await newStore(store)) },
    })
    expect(strict.output()).toContain('npm run keys -- create')
    await browser.context.clearCookies()
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: strict.url })
    await page().goto(`${strict.url}/signup`)
    await fill()
    await page().click('button[type=submit]')
    await page().locator('h1', { hasText: 'Send your first event' }).waitFor()
    await atWork(page())
    expect(await page().locator('.code-box').count()).toBe(0)
    expect(await axeViolations(page())).toEqual([])
    await page().getByRole('button', { name: 'Make a write key' }).click()
    await page().getByRole('button', { name: 'Copy command' }).click()
    const copied = await page().evaluate(() => navigator.clipboard.readText())
    expect(copied).toMatch(/Authorization: Bearer sk_/)
    expect(await axeViolations(page())).toEqual([])
    const shown = (await page().textContent('.code-box')) ?? ''
    const quiet = (command: string) => command.replace('curl', 'curl -s -o /dev/null -w "%{http_code}"')
    for (const command of [copied, shown]) {
      const { stdout } = spawnSync('bash', ['-c', quiet(command)], { encoding: 'utf8' })
      expect(stdout).toBe('202')
    }
    await page().waitForSelector('.kpis')
    await page().reload()
    expect(await page().content()).not.toContain('sk_')
  })

  it('made no complaint in the console', () => {
    expect(complaints).toEqual([])
  })
})
