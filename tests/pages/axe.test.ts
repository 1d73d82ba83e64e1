import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, chromium, openBrowser } from '../chromium.ts'
import { describeWith } from '../needs.ts'
import { ago, axeViolations, openPages, type PageShop, type PostedEvent, post, startEmptyShop } from './shop.ts'

const pages = {
  dashboard: '/dashboard',
  'dashboard of a day': '/dashboard?range=today',
  'dashboard by week': '/dashboard?range=90d&interval=week&compare=year',
  'empty period': '/dashboard?from=2020-01-01&to=2020-01-02',
  'mistaken period': '/dashboard?from=abc',
  users: '/users',
  'users, none found': '/users?search=nobody',
  journey: '/users/a%2Fb/journey',
  'journey, filtered': '/users/a%2Fb/journey?type=purchase&order=asc&session=s1',
  'no such user': '/users/nobody/journey',
  'no such page': '/nowhere',
}
const loggedOut = { login: '/login', 'sign-up': '/signup' }
const views = [
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const

const events: PostedEvent[] = [
  { type: 'session_start', payload: { browser: 'Firefox', os: 'macOS', deviceType: 'desktop', language: 'de-DE' } },
  { type: 'page_view', payload: { url: '/tents', title: 'Tents' } },
  { type: 'search', payload: { query: 'crampons', resultsCount: 0, filters: { brand: ['Fjell'] } } },
  { type: 'purchase', payload: { orderId: 'o1', revenue: 10, currency: 'EUR', items: [], shipping: 4.9 } },
  { type: 'purchase', payload: { orderId: 'o2', revenue: 20, currency: 'USD', items: [] } },
  { type: 'purchase', payload: { orderId: 'o3', revenue: 'many', currency: 'EUR', items: [] } },
].map((event, index) => ({ ...event, userId: 'a/b', sessionId: 's1', occurredAt: ago(index) }))

describeWith(chromium, 'every page is accessible', () => {
  let shop: PageShop
  let inside: Browser
  let outside: Browser

  beforeAll(async () => {
    shop = await startEmptyShop()
    inside = await openPages(shop)
    outside = await openBrowser()
  })
  afterAll(async () => {
    await inside?.close()
    await outside?.close()
  })

  async function check(browser: Browser, path: string, prepare?: () => Promise<void>) {
    const page = browser.context.pages()[0]!
    const found: string[] = []
    for (const { width, height, colorScheme } of views) {
      await page.setViewportSize({ width, height })
      // Without motion, for a colour on its way to another is neither.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      // Width and theme are styles alone; what was opened by hand depends on the width.
      if (page.url() !== shop.url + path || prepare) await page.goto(shop.url + path, { waitUntil: 'load' })
      await prepare?.()
      for (const violation of await axeViolations(page)) found.push(`${width} ${colorScheme} ${violation}`)
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      if (wider > 0) found.push(`${width} is ${wider} pixels too wide`)
      if ((await page.locator('h1').count()) !== 1) found.push(`${width} has not one h1`)
    }
    expect(found).toEqual([])
  }

  it('an empty store', async () => {
    await check(inside, '/dashboard')
    await check(inside, '/users')
    await post(shop, events)
  })

  it.each(Object.entries(pages))('%s', (_name, path) => check(inside, path))
  it.each(Object.entries(loggedOut))('%s', (_name, path) => check(outside, path))

  it('the addresses of the API', async () => {
    const page = inside.context.pages()[0]!
    await check(inside, '/api-docs', async () => {
      await page.locator('.opblock-summary-control').nth(1).click()
      await page.waitForSelector('.opblock-body')
    })
  })

  it('a refused login', async () => {
    await check(outside, '/login', async () => {
      const page = outside.context.pages()[0]!
      await page.click('button[type=submit]')
      await page.waitForSelector('[aria-invalid=true]')
    })
  })

  it('the menu, the palette and the list of keys', async () => {
    const page = inside.context.pages()[0]!
    await check(inside, '/dashboard', async () => {
      await page.waitForSelector('.plot .pointer')
      await page.locator('.account, .menu-button').locator('visible=true').first().click()
    })
    await check(inside, '/dashboard', async () => {
      await page.waitForSelector('.plot .pointer')
      await page.locator('.range-menu summary').click()
    })
    await check(inside, '/dashboard', async () => {
      await page.waitForSelector('.plot .pointer')
      await page.keyboard.press('/')
      await page.waitForSelector('dialog[open] [role=option]')
    })
    await check(inside, '/dashboard', async () => {
      await page.waitForSelector('.plot .pointer')
      await page.keyboard.press('?')
      await page.waitForSelector('dialog[open]')
    })
  })
})
