import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../chromium.ts'
import {
  ago,
  atWork,
  describePages,
  oddIds,
  openPages,
  type PageShop,
  post,
  startEmptyShop,
  watchConsole,
} from './shop.ts'

const users = 130

describePages('the users page', (store) => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]

  beforeAll(async () => {
    shop = await startEmptyShop(store)
    const many = Array.from({ length: users }, (_, index) => {
      const userId = `cust_${String(index).padStart(3, '0')}`
      return { userId, sessionId: `${userId}-a`, type: 'page_view', payload: { url: '/' }, occurredAt: ago(1, index) }
    })
    const odd = oddIds.map((userId, index) => ({
      userId,
      sessionId: `odd-${index}`,
      type: 'page_view',
      payload: { url: '/' },
      occurredAt: ago(10, index),
    }))
    await post(shop, [...many, ...odd])
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
  })
  afterAll(async () => browser?.close())

  const page = () => browser.context.pages()[0]!
  const open = async (search = '') => {
    await page().goto(`${shop.url}/users${search}`)
    await atWork(page())
  }
  const ids = () => page().locator('.table tbody th').allTextContents()
  const shown = () => page().locator('.pager').first().textContent()

  it('pages by place in the list, forward and back', async () => {
    await open('?pageSize=50')
    const first = await ids()
    expect(first).toHaveLength(50)
    expect(first[0]).toBe('cust_000')
    expect(await shown()).toContain('Showing 1–50 of 135')
    await page().click('.pager a:has-text("Next")')
    await page().locator('.pager', { hasText: 'Showing 51–100' }).waitFor()
    await page().click('.pager a:has-text("Next")')
    await page().locator('.pager', { hasText: 'Showing 101–135 of 135' }).waitFor()
    expect(await page().locator('.pager a:has-text("Next")').count()).toBe(0)
    await page().click('.pager a:has-text("Previous")')
    await page().locator('.pager', { hasText: 'Showing 51–100' }).waitFor()
    await page().click('.pager a:has-text("Previous")')
    await page().locator('.pager', { hasText: 'Showing 1–50' }).waitFor()
    expect(await ids()).toEqual(first)
  })

  it.each([
    [390, ['User ID', 'Total Sessions', 'Total Events', 'Last Active']],
    [360, ['User ID', 'Total Sessions', 'Total Events', 'Last Active']],
    [320, ['User ID', 'Total Events', 'Last Active']],
  ])('cuts no column on a screen of %i px', async (width, columns) => {
    await page().setViewportSize({ width, height: 844 })
    await open('?pageSize=50')
    const shown = await page().evaluate(() => {
      const rows = document.querySelector('.rows')!
      const heads = [...rows.querySelectorAll<HTMLElement>('thead th')].filter((head) => head.offsetWidth > 0)
      return {
        heads: heads.map((head) => head.textContent.trim()),
        beyond: rows.scrollWidth - rows.clientWidth,
        pageBeyond: document.documentElement.scrollWidth - window.innerWidth,
        idWidth: Math.min(...[...rows.querySelectorAll('.user-id > span')].map((id) => id.clientWidth)),
      }
    })
    await page().setViewportSize({ width: 1280, height: 900 })
    expect(shown).toMatchObject({ heads: columns, beyond: 0 })
    expect(shown.pageBeyond).toBeLessThanOrEqual(0)
    expect(shown.idWidth).toBeGreaterThan(12)
  })

  it('sorts by its heads, which say how', async () => {
    await open()
    await page().click('thead a:has-text("User ID")')
    await page().waitForURL('**/users?sort=userId&order=asc')
    await page().waitForSelector('th[aria-sort=ascending]:has-text("User ID")')
    expect((await ids())[0]).toBe('%2F')
    await page().click('thead a:has-text("User ID")')
    await page().waitForSelector('th[aria-sort=descending]:has-text("User ID")')
    expect((await ids())[0]).toBe('ü%')
  })

  it('finds by the beginning of the id and says when nobody matches', async () => {
    await open('?sort=userId&order=asc')
    await page().fill('[name=search]', 'cust_12')
    await page().keyboard.press('Enter')
    await page().locator('.sub', { hasText: '10 users' }).waitFor()
    expect(await ids()).toHaveLength(10)
    expect(page().url()).toContain('sort=userId')
    await page().fill('[name=search]', 'nobody')
    await page().click('button:has-text("Search")')
    await page().locator('.empty .title', { hasText: 'No user matches “nobody”' }).waitFor()
    // One way out, and not the same one twice.
    expect(await page().locator('main').getByText('Clear', { exact: true }).count()).toBe(1)
    await page().click('.empty a:has-text("Clear")')
    await page().locator('.pager', { hasText: 'of 135' }).waitFor()
  })

  it('opens a journey by keyboard and goes back to the same list', async () => {
    await open('?search=cust_12&sort=userId&order=asc')
    await page().keyboard.press('j')
    await page().keyboard.press('j')
    await page().keyboard.press('Enter')
    await page().waitForURL('**/users/cust_121/journey*')
    await page().click('a:has-text("Back to Users")')
    await page().waitForURL('**/users?search=cust_12&sort=userId&order=asc')
  })

  it('opens a journey by a click anywhere in the row', async () => {
    await open('?search=cust_007')
    const cell = (await page().locator('tbody td').nth(3).boundingBox())!
    await page().mouse.click(cell.x + cell.width / 2, cell.y + cell.height / 2)
    await page().waitForURL('**/users/cust_007/journey*')
  })

  it.each(oddIds)('leads to the user %s', async (userId) => {
    await open(`?${new URLSearchParams({ search: userId })}`)
    await page().locator('tbody th a').first().click()
    await page().waitForURL('**/journey*')
    await page().locator('h1', { hasText: userId }).waitFor()
    await page().reload()
    expect(await page().textContent('h1')).toBe(userId)
  })

  it('is found from the palette', async () => {
    await open()
    await page().keyboard.press('Control+k')
    await page().waitForSelector('dialog[open] [role=combobox]:focus')
    await page().keyboard.type('cust_04')
    await page()
      .locator('[role=option]', { hasText: /^cust_04\d/ })
      .first()
      .waitFor()
    await page().keyboard.press('Enter')
    await page().waitForURL('**/users/cust_04*/journey')
  })

  it('gives every user as CSV, and no formula', async () => {
    const response = await fetch(`${shop.url}/users.csv?sort=userId&order=asc`, { headers: { cookie: shop.cookie } })
    const lines = (await response.text()).trim().split('\r\n')
    expect(lines).toHaveLength(1 + users + oddIds.length)
    expect(lines[0]!.replace('\ufeff', '')).toBe('user_id,total_sessions,total_events,orders,first_active,last_active')
    expect(lines.some((line) => line.startsWith("'=cmd()"))).toBe(true)
    const found = await fetch(`${shop.url}/users.csv?search=cust_12`, { headers: { cookie: shop.cookie } })
    expect((await found.text()).trim().split('\r\n')).toHaveLength(11)
  })

  it('refuses a cursor that it did not give with what is wrong', async () => {
    const response = await fetch(`${shop.url}/users?cursor=abc`, {
      headers: { cookie: shop.cookie, accept: 'text/html' },
    })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('cursor is not one that an earlier answer gave')
  })

  it('reads without scripts', async () => {
    const plain = await openPages(shop, { javaScriptEnabled: false })
    try {
      const still = plain.context.pages()[0]!
      await still.goto(`${shop.url}/users?pageSize=25`)
      await still.click('.pager a:has-text("Next")')
      expect(await still.textContent('.pager')).toContain('Showing 26–50 of 135')
      await still.fill('[name=search]', 'cust_129')
      await still.click('button:has-text("Search")')
      await still.click('tbody th a')
      expect(await still.textContent('h1')).toBe('cust_129')
    } finally {
      await plain.close()
    }
  })

  it('made no complaint in the console', () => {
    expect(complaints).toEqual([])
  })
})
