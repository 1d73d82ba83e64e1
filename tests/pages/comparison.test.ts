import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../chromium.ts'
import { atWork, describePages, openPages, type PageShop, post, startEmptyShop, watchConsole } from './shop.ts'

/** The shop is in Kathmandu, whose clocks never change. */
const AHEAD_MS = (5 * 60 + 45) * 60_000
const DAY_MS = 86_400_000

/** "17:32" of an instant on the shop's wall. */
function wall(instant: number): string {
  return new Date(instant + AHEAD_MS).toISOString().slice(11, 16)
}

describePages('the comparison of periods', (store) => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]
  const page = (): Page => browser.context.pages()[0]!
  /** Midnight of today in the shop. */
  let midnight: number

  beforeAll(async () => {
    shop = await startEmptyShop(store)
    midnight = Math.floor((Date.now() + AHEAD_MS) / DAY_MS) * DAY_MS - AHEAD_MS
    const today = Date.now() - midnight
    const event = (userId: string, at: number) => ({
      ...{ userId, sessionId: 's', type: 'page_view', payload: { url: '/' } },
      occurredAt: new Date(at).toISOString(),
    })
    // Yesterday three at its first instant, and ten in its last minutes; today four.
    await post(shop, [
      ...Array.from({ length: 3 }, (_, n) => event(`early ${n}`, midnight - DAY_MS)),
      ...Array.from({ length: 10 }, (_, n) => event(`late ${n}`, midnight - 1 - n)),
      ...Array.from({ length: 4 }, (_, n) => event(`today ${n}`, midnight + Math.floor((today * n) / 4))),
    ])
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
  })
  afterAll(() => browser?.close())

  async function open(search: string): Promise<void> {
    await page().goto(`${shop.url}/dashboard${search}`)
    await page().waitForSelector('.kpis')
    await atWork(page())
  }
  const kpi = (name: string) =>
    page()
      .locator('.kpi', { has: page().locator(`dt:text-is("${name}")`) })
      .locator('.d')
      .first()
      .textContent()

  it('is of yesterday until the same minute, and says so', async () => {
    const before = wall(Date.now())
    await open('?range=today')
    const line = await page().locator('.sub').textContent()
    const after = wall(Date.now())
    expect([before, after].map((time) => line?.includes(`compared with yesterday until ${time}`))).toContain(true)
    // At midnight itself nothing of yesterday lies before it.
    const early = before === '00:00' ? 0 : 3
    if (early > 0) {
      expect(await kpi('Total Events')).toContain('33.3%')
      expect(await kpi('Total Users')).toContain('vs 3')
    }
    const { previous } = (await (
      await fetch(`${shop.url}/stats?${new URLSearchParams({ from: day(0), to: day(0), compare: 'previous' })}`, {
        headers: { cookie: shop.cookie, accept: 'application/json' },
      })
    ).json()) as { previous: Record<string, unknown> }
    expect(previous).toMatchObject({
      totalEvents: early,
      range: { from: day(-1), to: day(-1) },
      from: new Date(midnight - DAY_MS).toISOString(),
      aligned: { by: 'day', back: 1 },
    })
    expect(wall(Date.parse(String(previous.until)))).toBe(previous.untilTime)
  })

  /** A day of the shop, counted from today. */
  function day(days: number): string {
    return new Date(midnight + AHEAD_MS + days * DAY_MS).toISOString().slice(0, 10)
  }

  it('names in the table what each hour is compared with', async () => {
    await open('?range=today')
    await page().locator('details', { hasText: 'Show as table' }).first().locator('summary').click()
    const table = page().getByRole('region', { name: 'Events Per Hour as a table' })
    const first = await table.locator('tbody tr').last().locator('td').allInnerTexts()
    expect(first[0]).toContain(', 00:00')
    expect(first[2]).toContain(', 00:00')
    expect(first[3]).toBe(wall(Date.now()) === '00:00' ? '0' : '3')
  })

  it('is a month for a month, and the same weekdays a year before for days', async () => {
    await page().goto(`${shop.url}/dashboard?from=2026-10-01&to=2026-10-31`)
    expect(await page().locator('.compare-menu summary').textContent()).toContain('1 Sep – 30 Sep')
    await page().goto(`${shop.url}/dashboard?range=7d&compare=year`)
    expect(await page().locator('.sub').textContent()).toContain('the same weekdays, 364 days before')
    await page().goto(`${shop.url}/dashboard?range=week`)
    expect(await page().locator('.sub').textContent()).toContain('the same days of the week before')
  })

  it('goes from month to month', async () => {
    await page().goto(`${shop.url}/dashboard?from=2026-10-01&to=2026-10-31`)
    await page().getByRole('link', { name: 'Period before' }).click()
    await page().waitForURL('**from=2026-09-01&to=2026-09-30')
  })

  it('made no complaint in the console', () => {
    expect(complaints).toEqual([])
  })
})
