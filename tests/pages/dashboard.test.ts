import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../chromium.ts'
import {
  ago,
  atWork,
  describePages,
  openPages,
  type PageShop,
  type PostedEvent,
  post,
  startEmptyShop,
  watchConsole,
} from './shop.ts'

const purchase = (orderId: string, revenue: number, currency: string): PostedEvent => ({
  userId: 'u1',
  sessionId: 'u1-a',
  type: 'purchase',
  payload: { orderId, revenue, currency, items: [] },
  occurredAt: ago(2),
})

describePages('the dashboard', (store) => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]

  beforeAll(async () => {
    shop = await startEmptyShop(store)
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
  })
  afterAll(async () => browser?.close())

  const page = () => browser.context.pages()[0]!
  const open = async (search = '') => {
    await page().goto(`${shop.url}/dashboard${search}`)
    await atWork(page())
  }
  const figure = (name: string) =>
    page()
      .locator('.kpi', { has: page().locator(`dt:text-is("${name}")`) })
      .locator('.v')
      .first()
      .textContent()

  it('of an empty store shows the first event as soon as it arrives', async () => {
    const asked = page().waitForRequest(/stats\.pulse/)
    await open()
    expect(await page().textContent('h1')).toBe('Send your first event')
    // The page is live once its script waits at the server.
    await asked
    await post(shop, [
      { userId: 'u1', sessionId: 'u1-a', type: 'page_view', payload: { url: '/' }, occurredAt: ago(2) },
    ])
    await page().waitForSelector('.kpis')
    expect(await figure('Total Events')).toBe('1')
  })

  it('states what was posted, currencies apart and the main one first', async () => {
    await post(shop, [
      purchase('o1', 100.5, 'CHF'),
      purchase('o2', 20, 'EUR'),
      purchase('o3', 30, 'EUR'),
      { userId: 'u2', sessionId: 'u2-a', type: 'page_view', payload: { url: '/' }, occurredAt: ago(3) },
      { userId: 'u2', sessionId: 'u2-a', type: 'page_view', payload: { url: '/' }, occurredAt: ago(40) },
    ])
    await open()
    expect(await figure('Total Users')).toBe('2')
    expect(await figure('Total Events')).toBe('5')
    expect(await figure('Avg Events/User')).toBe('2.5')
    expect(await figure('Orders')).toBe('3')
    expect(await figure('Revenue')).toBe('CHF\u00a0100.50')
    expect(await page().locator('.kpi.wide .second').textContent()).toBe('€50.00')
    await open('?range=all')
    expect(await figure('Total Events')).toBe('6')
  })

  it('grows by one after a posted event, without a reload', async () => {
    await open()
    await page().evaluate(() => {
      document.body.dataset.sameDocument = 'yes'
    })
    await post(shop, [{ userId: 'u3', sessionId: 'u3-a', type: 'page_view', payload: { url: '/' } }])
    await page().locator('.kpi .v', { hasText: /^6$/ }).first().waitFor()
    expect(await page().locator('body[data-same-document=yes]').count()).toBe(1)
  })

  it('draws its charts on the server, and the browser changes nothing about them', async () => {
    const html = await (
      await fetch(`${shop.url}/dashboard`, { headers: { cookie: shop.cookie, accept: 'text/html' } })
    ).text()
    const drawn = [...html.matchAll(/<path class="visx-(?:linepath|area)"[^>]* d="(M[^"]+)"/g)].map((match) => match[1])
    expect(drawn.length).toBeGreaterThan(0)
    await open()
    await page().waitForSelector('.plot .pointer')
    const shown = await page()
      .locator('.plot path.visx-linepath, .plot path.visx-area')
      .evaluateAll((paths) => paths.map((path) => path.getAttribute('d')))
    expect(shown.filter(Boolean)).toEqual(drawn)
    expect(html).toMatch(/<rect class="visx-bar"/)
  })

  it('names a bucket under the pointer and along the arrow keys', async () => {
    await open()
    const pointer = page().locator('.plot .pointer').first()
    await pointer.hover()
    expect(await page().locator('.tip').textContent()).toMatch(/event/)
    await page().mouse.move(0, 0)
    await pointer.focus()
    await page().keyboard.press('End')
    const last = await pointer.getAttribute('aria-valuetext')
    await page().keyboard.press('ArrowLeft')
    await expect.poll(() => pointer.getAttribute('aria-valuetext')).not.toBe(last)
    await page().keyboard.press('Escape')
    await page().locator('.tip').waitFor({ state: 'detached' })
  })

  it('keeps period, comparison and interval in the address', async () => {
    await open()
    await page().click('.range-menu summary')
    await page().click('.range-menu a:has-text("Last 7 days")')
    await page().waitForURL('**/dashboard?range=7d')
    await page().click('nav[aria-label=Interval] a:has-text("Hour")')
    await page().waitForURL('**/dashboard?range=7d&interval=hour')
    await page().locator('h2', { hasText: 'Events Per Hour' }).waitFor()
    await page().keyboard.press('c')
    await page().waitForURL('**compare=none')
    await page().locator('.kpi .d', { hasText: 'vs' }).first().waitFor({ state: 'detached' })
    await page().keyboard.press('[')
    await page().waitForURL('**from=*')
    // Both in one go: the second key must come soon after the first.
    await page().evaluate(() => {
      for (const key of ['g', 'u']) document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
    })
    await page().waitForURL('**/users')
  })

  it('says so when the period has no event, and offers all time', async () => {
    await open('?from=2020-01-01&to=2020-01-31')
    expect(await page().textContent('.empty .title')).toBe('No events in this period')
    await page().click('.empty a')
    await page().waitForSelector('.kpis')
    expect(await figure('Total Events')).toBe('7')
  })

  it('explains an address it cannot follow', async () => {
    await open('?from=2026-02-30')
    expect(await page().textContent('.banner')).toContain('“2026-02-30” is not a day')
    expect(await page().locator('.kpis').count()).toBe(1)
  })

  it('gives its days as CSV', async () => {
    const response = await fetch(`${shop.url}/dashboard.csv?range=7d`, { headers: { cookie: shop.cookie } })
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const lines = (await response.text()).trim().split('\r\n')
    expect(lines[0]!.replace('\ufeff', '')).toBe(
      'date,users,events,sessions,ordering_sessions,orders,revenue_CHF,revenue_EUR',
    )
    expect(lines).toHaveLength(8)
    expect(lines.map((line) => line.split(',')[6]).filter((gross) => gross === '100.50')).toHaveLength(1)
    const refused = await fetch(`${shop.url}/dashboard.csv`, { redirect: 'manual' })
    expect(refused.status).toBe(401)
    expect(await refused.text()).toContain('Log in first')
    const browsing = { redirect: 'manual', headers: { accept: 'text/html' } } as const
    const led = await fetch(`${shop.url}/dashboard.csv?range=7d`, browsing)
    expect(led.headers.get('location')).toBe('/login?next=%2Fdashboard%3Frange%3D7d')
  })

  it('is told calmly when the server is away, and goes on by itself', async () => {
    await open()
    await browser.context.setOffline(true)
    await page().locator('[role=status]', { hasText: 'Connection lost, retrying' }).waitFor()
    expect(await figure('Total Events')).toBe('6')
    await browser.context.setOffline(false)
    await page().locator('[role=status]', { hasText: 'Up to date' }).waitFor()
  })

  it('reads without scripts', async () => {
    const plain = await openPages(shop, { javaScriptEnabled: false })
    try {
      const still = plain.context.pages()[0]!
      await still.goto(`${shop.url}/dashboard`)
      await still.click('.range-menu summary')
      await still.fill('.range-menu [name=from]', '2020-01-01')
      await still.fill('.range-menu [name=to]', '2020-01-02')
      await still.click('.range-menu button')
      expect(still.url()).toContain('from=2020-01-01&to=2020-01-02')
      expect(await still.textContent('.empty .title')).toBe('No events in this period')
      expect(await still.locator('.plot .pointer').count()).toBe(0)
    } finally {
      await plain.close()
    }
  })

  it('asks for at most 200 KB of script, compressed', async () => {
    const cold = await openPages(shop)
    try {
      const first = cold.context.pages()[0]!
      const scripts: string[] = []
      first.on('response', (response) => {
        if (response.url().endsWith('.js')) scripts.push(response.url())
      })
      await first.goto(`${shop.url}/dashboard`, { waitUntil: 'load' })
      const { gzipSync } = await import('node:zlib')
      let bytes = 0
      for (const script of new Set(scripts))
        bytes += gzipSync(Buffer.from(await (await fetch(script)).arrayBuffer())).length
      expect(bytes).toBeGreaterThan(50_000)
      expect(bytes).toBeLessThan(200 * 1024)
    } finally {
      await cold.close()
    }
  })

  it('leads to the login, and back, once the login has ended', async () => {
    await open('?range=7d')
    await browser.context.clearCookies()
    await page().waitForURL((url) => url.pathname === '/login')
    expect(new URL(page().url()).searchParams.get('next')).toBe('/dashboard?range=7d')
  })

  it('made no complaint in the console', () => {
    expect(complaints.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })
})
