import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, chromium } from '../chromium.ts'
import { describeWith } from '../needs.ts'
import { ago, atWork, openPages, type PageShop, post, startEmptyShop, watchConsole } from './shop.ts'

const DAY_MS = 86_400_000

describeWith(chromium, 'pages for those who hear, zoom, or choose their colors and keys', () => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]
  let page: Page
  const [dayBefore, soldAt] = [ago(3), ago(2)]

  beforeAll(async () => {
    shop = await startEmptyShop()
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
    page = browser.context.pages()[0]!
    await post(shop, [view('ana', ago(1)), order('small', 0.01, dayBefore), order('large', 1_000_000, soldAt)])
  })
  afterAll(() => browser?.close())

  const view = (userId: string, occurredAt: string) => ({
    ...{ userId, sessionId: `${userId}-a`, type: 'page_view', payload: { url: '/' }, occurredAt },
  })
  const order = (orderId: string, revenue: number, occurredAt: string) => ({
    ...{ userId: 'ben', sessionId: `ben-${orderId}`, type: 'purchase', occurredAt },
    payload: { orderId, revenue, currency: 'CHF', items: [] },
  })
  const open = async (path: string) => {
    await page.goto(shop.url + path)
    await atWork(page)
  }
  const dayOf = (iso: string, days = 0) =>
    new Date(Date.parse(iso) + 5.75 * 3_600_000 + days * DAY_MS).toISOString().slice(0, 10)

  it('keep the list of keys in sight at a zoom of 400%, and let it be scrolled to its end', async () => {
    await open('/dashboard')
    await page.setViewportSize({ width: 320, height: 256 })
    await page.keyboard.press('?')
    const box = (await page.locator('dialog[open]').boundingBox())!
    expect(box.x).toBeGreaterThanOrEqual(0)
    expect(box.y).toBeGreaterThanOrEqual(0)
    expect(box.x + box.width).toBeLessThanOrEqual(320)
    expect(box.y + box.height).toBeLessThanOrEqual(256)
    await page.keyboard.press('Tab')
    await page.locator('dialog[open] input:focus').waitFor()
    const last = (await page.locator('dialog[open] input').boundingBox())!
    expect(last.y + last.height).toBeLessThanOrEqual(256)
    await page.keyboard.press('Escape')
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('show what is chosen, bars and dots in colors of the reader', async () => {
    await page.emulateMedia({ forcedColors: 'active' })
    await open('/dashboard')
    const seen = await page.evaluate(() => {
      const styleOf = (selector: string) => getComputedStyle(document.querySelector(selector)!)
      const [chosen, other] = [
        '[aria-label=Interval] > [aria-current]',
        '[aria-label=Interval] > :not([aria-current])',
      ].map(styleOf)
      return {
        chosen: [chosen!.outlineStyle, other!.outlineStyle],
        bar: styleOf('.bar i').backgroundColor !== styleOf('.card').backgroundColor,
        dot: styleOf('.dot').backgroundColor !== styleOf('body').backgroundColor,
        drawing: styleOf('.drawing svg').forcedColorAdjust,
      }
    })
    expect(seen).toEqual({ chosen: ['solid', 'none'], bar: true, dot: true, drawing: 'none' })
    await page.emulateMedia({ forcedColors: 'none' })
  })

  it('announce no times and counts that change all the time', async () => {
    await open('/dashboard')
    await page.evaluate(() => {
      const said: string[] = []
      Object.assign(window, { said })
      const watch = new MutationObserver((changes) => {
        for (const { target } of changes) {
          const region = (target instanceof Element ? target : target.parentElement)?.closest(
            '[role=status], [aria-live]',
          )
          if (region && region.getAttribute('aria-live') !== 'off') said.push(region.textContent ?? '')
        }
      })
      watch.observe(document.body, { subtree: true, childList: true, characterData: true })
    })
    const total = page.locator('.kpi', { has: page.locator('dt:text-is("Total Events")') }).locator('.v')
    for (let more = 1; more <= 3; more++) {
      const before = Number(await total.textContent())
      await post(shop, [view('cem', ago(0))])
      await expect.poll(async () => Number(await total.textContent()), { timeout: 90_000 }).toBe(before + 1)
    }
    const said = await page.evaluate(() => (window as unknown as { said: string[] }).said)
    expect(said.filter((text) => /\d/.test(text))).toEqual([])
  })

  it.each([
    ['AltGr', { modifierAltGraph: true, ctrlKey: true, altKey: true }],
    ['Option', { altKey: true }],
  ])('go a period back where a keyboard writes [ with %s', async (_, held) => {
    const [from, to] = [dayOf(ago(4)), dayOf(ago(3))]
    await open(`/dashboard?from=${from}&to=${to}&compare=none`)
    const init = { key: '[', bubbles: true, cancelable: true, ...held }
    await page.evaluate((init) => document.body.dispatchEvent(new KeyboardEvent('keydown', init)), init)
    await page.waitForURL((url) => url.searchParams.get('to') === dayOf(`${from}T00:00:00Z`, -1))
  })

  it('draw no days that have not begun', async () => {
    const today = dayOf(ago(0))
    await open(`/dashboard?from=${dayOf(ago(0), -1)}&to=${dayOf(ago(0), 3)}&compare=none`)
    const card = page.locator('.card', { has: page.locator('h2:text-is("Events Per Day")') })
    const rows = await card.locator('tbody tr').count()
    // The day may have ended meanwhile.
    expect(rows).toBe(dayOf(ago(0)) === today ? 2 : rows)
  })

  it('write a rise that says nothing in few signs', async () => {
    const day = dayOf(soldAt)
    await open(`/dashboard?from=${day}&to=${day}&compare=previous`)
    const card = page.locator('.kpi', { has: page.locator('dt:text-is("Revenue")') })
    expect(await card.textContent()).toContain('over 999%')
  })

  it('and complain of nothing in the console', () => {
    expect(complaints).toEqual([])
  })
})
