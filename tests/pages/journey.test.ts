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

const userId = 'a/b?x'
const views = 230
const address = `/users/${encodeURIComponent(userId)}/journey`

/** Two sessions: a long one of page views a minute apart, and a later one with an order after a pause. */
function events(): PostedEvent[] {
  const of = (sessionId: string, type: string, payload: Record<string, unknown>, occurredAt: string) => ({
    userId,
    sessionId,
    type,
    payload,
    occurredAt,
  })
  return [
    ...Array.from({ length: views }, (_, index) =>
      of('long', 'page_view', { url: `/page-${index}`, title: `Page ${index}` }, ago(5, views - index)),
    ),
    of('short', 'search', { query: 'crampons', resultsCount: 0 }, ago(2, 30)),
    of(
      'short',
      'add_to_cart',
      { productId: 'T-1', name: 'Tent', price: 349.9, quantity: 1, currency: 'EUR' },
      ago(2, 29),
    ),
    of(
      'short',
      'purchase',
      {
        orderId: 'NL-1',
        revenue: 330.4,
        currency: 'EUR',
        items: [{ productId: 'T-1', name: 'Tent', quantity: 1, price: 349.9 }],
        discount: 19.5,
      },
      ago(2, 20),
    ),
    of('short', 'form_submit', { formId: 'survey', fields: { stars: { delivery: 5 } } }, ago(2, 19)),
    of('short', 'purchase', { orderId: 'NL-2', revenue: 'much', currency: 'EUR', items: [] }, ago(2, 18)),
  ]
}

describePages('a journey', (store) => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]

  beforeAll(async () => {
    shop = await startEmptyShop(store)
    await post(shop, events())
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
  })
  afterAll(async () => browser?.close())

  const page = () => browser.context.pages()[0]!
  const open = async (search = '') => {
    await page().goto(shop.url + address + search)
    await atWork(page())
  }
  const count = () => page().locator('.timeline .icon').count()

  it('has the totals of the user and of each session', async () => {
    await open()
    expect(await page().textContent('h1')).toBe(userId)
    const totals = await page().locator('.kpi .v').allTextContents()
    expect(totals.slice(0, 4)).toEqual(['2', '235', '1', '€330.40'])
    const sessions = await page().locator('.sessions a').allTextContents()
    expect(sessions).toHaveLength(2)
    expect(sessions[0]).toContain('€330.40')
    expect(sessions[1]).toContain('230 events')
  })

  it('tells events in words, an order as an order, a pause as a pause', async () => {
    await open()
    const timeline = page().locator('.timeline')
    expect(await timeline.locator('.say', { hasText: 'Added to cart' }).textContent()).toBe(
      'Added to cart Tent, 1 × €349.90',
    )
    expect(await timeline.locator('.say', { hasText: 'Searched' }).textContent()).toContain('No result')
    const order = timeline.locator('.order')
    expect(await order.count()).toBe(1)
    expect(await order.locator('header').textContent()).toContain('NL-1')
    expect(await order.locator('header').textContent()).toContain('€330.40')
    expect(await order.locator('tfoot').textContent()).toBe('Discount−€19.50')
    expect(await timeline.locator('.facts', { hasText: 'Fields › stars › delivery' }).textContent()).toContain('5')
    expect(await timeline.locator('.gap', { hasText: 'without an event' }).allTextContents()).toEqual([
      '9 min without an event',
    ])
    expect(await timeline.locator('.gap', { hasText: 'between sessions' }).count()).toBe(1)
  })

  it('marks an event whose payload is wrong, and says how', async () => {
    await open()
    const bad = page().locator('.timeline > li', { has: page().locator('.badge.warn') })
    expect(await bad.count()).toBe(1)
    expect(await bad.textContent()).toContain('revenue')
    await bad.locator('summary').click()
    expect(await bad.locator('pre').textContent()).toContain('"revenue": "much"')
  })

  it('loads older events until the whole of it stands there, none twice', async () => {
    await open()
    expect(await count()).toBe(100)
    await page().click('text=Load older events')
    await page().locator('footer', { hasText: '200 of 235 events' }).waitFor()
    await page().click('text=Load older events')
    await page().locator('footer', { hasText: '235 of 235 events' }).waitFor()
    expect(await page().locator('text=Load older events').count()).toBe(0)
    const subjects = await page().locator('.timeline .say', { hasText: 'Viewed page' }).allTextContents()
    expect(new Set(subjects).size).toBe(views)
    // The pages join: one head for the long session for each day that it has, no pause where they meet.
    expect(await page().locator('.timeline .gap').count()).toBe(2)
  })

  it('filters by type and by session and turns the order, in the address', async () => {
    await open()
    await page().selectOption('[name=type]', 'purchase')
    await page().click('button:has-text("Apply")')
    await page().waitForURL('**type=purchase*')
    await page().locator('footer', { hasText: '2 events' }).waitFor()
    expect(await page().locator('.timeline .gap').count()).toBe(0)
    await open()
    await page().click('.sessions a:has-text("Session 1")')
    await page().waitForURL('**session=long*')
    await page().locator('.chip', { hasText: 'Only Session 1' }).waitFor()
    await page().click('nav[aria-label=Order] a:has-text("Oldest")')
    await page().waitForURL('**order=asc*')
    await page().locator('.timeline .say').first().getByText('Page 0', { exact: true }).waitFor()
    await page().click('.chip a')
    await page().waitForURL((url) => !url.searchParams.has('session'))
  })

  it("goes to a day of the shop's zone, in the address", async () => {
    await open()
    const last = views - 1
    // An event of the long session is on the day before its last one where the shop's clocks say so.
    const day = new Date(Date.parse(ago(2, 20)) + 5.75 * 3_600_000).toISOString().slice(0, 10)
    const before = new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
    await page().fill('[name=date]', before)
    await page().keyboard.press('Enter')
    await page().waitForURL(`**date=${before}*`)
    await page().locator('.chip', { hasText: 'Up to' }).waitFor()
    expect(await page().locator('.timeline .say').first().textContent()).toBe(`Viewed page Page ${last}`)
    // What is loaded then goes on from there.
    await page().click('text=Load older events')
    await page().locator('footer', { hasText: '200 events' }).waitFor()
    await page().click('nav[aria-label=Order] a:has-text("Oldest")')
    await page().waitForURL('**order=asc*')
    await page().locator('.timeline .say').first().getByText('“crampons”').waitFor()
    expect(await page().inputValue('[name=date]')).toBe(before)
    await page().click('.card footer a:has-text("Oldest events")')
    await page().locator('.timeline .say').first().getByText('Page 0', { exact: true }).waitFor()
    expect(await page().inputValue('[name=date]')).toBe('')

    await open('?date=2020-02-02')
    expect(await page().locator('.empty').textContent()).toContain("This user's events, of all sessions and types, are")
    await page().click('text=Clear filters')
    await page().locator('footer', { hasText: '100 of 235 events' }).waitFor()
    await open('?date=2026-02-30')
    expect(await page().locator('.card [role=status]', { hasText: '2026-02-30' }).textContent()).toContain('not a day')
    expect(await count()).toBe(100)
  })

  it('tells of events that were asked for, and lays out only those to be seen', async () => {
    await open()
    await page().click('text=Load older events')
    await page().locator('[role=status]', { hasText: '100 events added' }).waitFor()
    await page().click('text=Load older events')
    await page().locator('[role=status]', { hasText: '35 events added, no more' }).waitFor()
    const layout = await page()
      .locator('.timeline > li')
      .last()
      .evaluate((item) => getComputedStyle(item).contentVisibility)
    expect(layout).toBe('auto')
  })

  it('draws what came, and nothing again of what stands there', async () => {
    await open()
    // Each event that is drawn writes its JSON: of which, the page tells here.
    await page().evaluate(() => {
      const drawn: string[] = []
      const write = JSON.stringify
      JSON.stringify = (value: unknown, ...more: unknown[]) => {
        const { eventId } = (value ?? {}) as { eventId?: string }
        if (more[1] === 2 && eventId !== undefined) drawn.push(eventId)
        return Reflect.apply(write, JSON, [value, ...more])
      }
      Object.assign(window, { drawn })
    })
    await page().click('text=Load older events')
    await page().locator('footer', { hasText: '200 of 235 events' }).waitFor()
    const drawn = await page().evaluate(() => (window as unknown as { drawn: string[] }).drawn)
    const ids = (await page().locator('.timeline .raw pre').allTextContents()).map(
      (text) => (JSON.parse(text) as { eventId: string }).eventId,
    )
    expect(ids).toHaveLength(200)
    expect(new Set(drawn)).toEqual(new Set(ids.slice(100)))
  })

  it('of somebody unknown is a 404 in the frame', async () => {
    const response = await page().goto(`${shop.url}/users/nobody/journey`)
    expect(response?.status()).toBe(404)
    expect(await page().textContent('h1')).toContain('No user with this ID')
    expect(await page().locator('.main-nav a').count()).toBe(2)
    const malformed = await page().goto(`${shop.url}/users/%E0%A4%A/journey`)
    expect(malformed?.status()).toBeGreaterThanOrEqual(400)
    expect(malformed?.status()).toBeLessThan(500)
  })

  it('reads without scripts, page by page', async () => {
    const plain = await openPages(shop, { javaScriptEnabled: false })
    try {
      const still = plain.context.pages()[0]!
      // By its key, which finds a link also while what stands above it is still being laid out.
      const follow = (link: string) =>
        Promise.all([still.waitForEvent('domcontentloaded'), still.locator(link).first().press('Enter')])
      await still.goto(shop.url + address)
      await follow('text=Load older events')
      expect(await still.locator('.timeline .icon').count()).toBe(100)
      await follow('text=Load older events')
      expect(await still.locator('.timeline .icon').count()).toBe(35)
      await follow('text=Newest events')
      expect(await still.locator('.timeline .order').count()).toBe(1)
      await still.fill('[name=date]', '2020-02-02')
      await follow('button:has-text("Apply")')
      expect(await still.locator('.empty').textContent()).toContain('No events match')
    } finally {
      await plain.close()
    }
  })

  it('made no complaint in the console', () => {
    expect(complaints).toEqual([])
  })
})
