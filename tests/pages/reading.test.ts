import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, chromium } from '../chromium.ts'
import { describeWith } from '../needs.ts'
import { ago, atWork, axeViolations, openPages, type PageShop, post, startEmptyShop, watchConsole } from './shop.ts'

/** U+202E turns what follows it round. */
const turned = 'Tent\u202eX'
const shown = 'Tent‹U+202E›X'
const journeyOf = (userId: string) => `/users/${encodeURIComponent(userId)}/journey`

describeWith(chromium, 'pages as they are read', () => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]
  let page: Page

  beforeAll(async () => {
    shop = await startEmptyShop()
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
    page = browser.context.pages()[0]!
  })
  afterAll(() => browser?.close())

  const open = async (path: string) => {
    await page.goto(shop.url + path)
    await atWork(page)
  }
  const event = (userId: string, type: string, payload: Record<string, unknown>, occurredAt: string) => ({
    userId,
    sessionId: `${userId}-a`,
    type,
    payload,
    occurredAt,
  })
  const card = (name: string) => page.locator('.kpi', { has: page.locator(`dt:text-is("${name}")`) })
  const browserKey = async () => {
    const made = await fetch(`${shop.url}/trpc/keys.create`, {
      method: 'POST',
      headers: { cookie: shop.cookie, 'content-type': 'application/json', origin: shop.url },
      body: JSON.stringify({ kind: 'pk', name: 'shop' }),
    })
    return ((await made.json()) as { result: { data: { key: string } } }).result.data.key
  }
  const width = () => page.evaluate(() => document.documentElement.scrollWidth)
  const file = async (path: string) => {
    const response = await fetch(shop.url + path, { headers: { cookie: shop.cookie } })
    return { status: response.status, text: await response.text() }
  }

  it('show an event of tomorrow in all time', async () => {
    await post(shop, [event('early', 'page_view', { url: '/' }, new Date(Date.now() + 86_370_000).toISOString())])
    await open('/dashboard?range=all')
    await page.locator('.kpis').waitFor()
    expect(await page.locator('.kpis .v').nth(1).textContent()).toBe('1')
    expect(await page.locator('main').textContent()).not.toContain('No events in this period')
  })

  it('keep their width and height whatever a payload holds', async () => {
    const payload = { url: '/', ['n'.repeat(3000)]: 'v'.repeat(15_000), note: 'w'.repeat(8000) }
    await post(shop, [event('long', 'page_view', { ...payload, title: 't'.repeat(4000) }, ago(3))])
    await open(journeyOf('long'))
    expect(await width()).toBe(1440)
    expect(await page.locator('.timeline').evaluate((list) => list.clientHeight)).toBeLessThan(900)
    // The whole is there to be opened.
    expect(await page.locator('.raw pre').textContent()).toContain('v'.repeat(15_000))
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await width()).toBe(390)
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('let no name turn what stands beside it round', async () => {
    const items = [{ productId: 'T', name: turned, quantity: 1, price: 12.5 }]
    await post(shop, [
      event(turned, 'purchase', { orderId: turned, revenue: 12.5, currency: 'CHF', items }, ago(2, 2)),
      event(turned, 'add_to_cart', { ...items[0], currency: 'CHF' }, ago(2, 1)),
    ])
    await open(journeyOf(turned))
    const places = await page
      .locator('.say .text-text-2')
      .first()
      .evaluate((say) => {
        const range = document.createRange()
        const texts = document.createTreeWalker(say, NodeFilter.SHOW_TEXT)
        const found: { text: string; left: number }[] = []
        while (texts.nextNode()) {
          range.selectNodeContents(texts.currentNode)
          found.push({ text: texts.currentNode.textContent ?? '', left: range.getBoundingClientRect().left })
        }
        return found
      })
    expect(places.map(({ text }) => text).join('')).toBe(`${shown}, 1 × CHF\u00a012.50`)
    expect(places.map(({ left }) => left)).toEqual([...places.map(({ left }) => left)].sort((a, b) => a - b))
    expect(await page.locator('h1 bdi').textContent()).toBe(shown)
    expect(await page.title()).toBe(`${shown} · Veritas`)
    expect(await page.locator('.raw pre').first().textContent()).toContain('Tent\\u202eX')
  })

  it('show what is not seen in an id: two that look alike are two', async () => {
    await post(shop, [
      event('twin', 'page_view', { url: '/' }, ago(4)),
      event('twin\u200b', 'page_view', { url: '/' }, ago(4)),
    ])
    await open('/users?search=twin')
    expect((await page.locator('.user-id bdi').allTextContents()).sort()).toEqual(['twin', 'twin‹U+200B›'])
    await page.keyboard.press('/')
    await page.keyboard.type('twi')
    await page.getByRole('option', { name: 'twin‹U+200B›' }).waitFor()
    await page.keyboard.press('Escape')
  })

  it('tell orders that a server states from those that only browsers claim', async () => {
    const key = await browserKey()
    const at = ago(6)
    const buy = (orderId: string) =>
      event('buyer', 'purchase', { orderId, revenue: 100, currency: 'SEK', items: [] }, at)
    await post(shop, [buy('said-by-server')])
    await post(shop, [buy('said-by-browser')], key)
    const day = new Date(Date.parse(at) + 5.75 * 3_600_000).toISOString().slice(0, 10)
    await open(`/dashboard?from=${day}&to=${day}&compare=none`)
    expect(await card('Revenue').textContent()).toContain('SEK\u00a0200.00')
    expect(await card('Revenue').textContent()).toContain('SEK\u00a0100.00 (50.0%) claimed by browsers')
    expect(await card('Orders').textContent()).toContain('1 claimed by browsers')
    await page.locator('.trust-menu summary').click()
    await page.getByRole('link', { name: 'Verified orders' }).click()
    await page.waitForURL(/trust=verified/)
    await page.locator('.sub', { hasText: 'verified orders only' }).waitFor()
    expect(await card('Revenue').locator('.v').textContent()).toBe('SEK\u00a0100.00')
    expect(await card('Orders').locator('.v').textContent()).toBe('1')
    expect(await card('Conversion').locator('.v').textContent()).toBe('–')
    expect(await axeViolations(page)).toEqual([])
    const href = await page.locator('a.btn', { hasText: 'Export CSV' }).getAttribute('href')
    const [head, line] = (await file(href!)).text.replace('\ufeff', '').split('\r\n')
    expect(head).toBe('date,users,events,sessions,orders,revenue_SEK')
    expect(line).toBe(`${day},1,2,1,1,100.00`)
    expect((await file('/dashboard.csv?trust=mine')).status).toBe(400)

    await open(journeyOf('buyer'))
    expect(await card('Revenue').textContent()).toContain('SEK\u00a0100.00 claimed by browsers')
    const claims = await page.locator('.order', { hasText: 'Claimed by a browser' }).allTextContents()
    expect(claims.map((text) => /said-by-(browser|server)/.exec(text)?.[0])).toEqual(['said-by-browser'])
    expect((await file('/users.csv?search=buyer')).text).toMatch(
      /verified_SEK,claimed_SEK\r\nbuyer,.*,200\.00,(.*,)?100\.00,100\.00\r\n/,
    )
  })

  it('show what servers state exactly though browsers claim more than a number can say', async () => {
    const key = await browserKey()
    const at = ago(4)
    const order = (orderId: string, revenue: number) =>
      event('flood', 'purchase', { orderId, revenue, currency: 'NOK', items: [] }, at)
    await post(shop, [order('stated', 12.34)])
    const claims = Array.from({ length: 9010 }, (_, n) => order(`claimed-${n}`, 9_999_999_999.99))
    await post(shop, claims, key)
    const day = new Date(Date.parse(at) + 5.75 * 3_600_000).toISOString().slice(0, 10)
    const period = `from=${day}&to=${day}&compare=none`
    const most = 'more than NOK\u00a090,071,992,547,409.91'
    await open(`/dashboard?${period}`)
    expect(await card('Revenue').textContent()).toContain(`${most}NOK\u00a012.34 verified${most} claimed by browsers`)
    const chart = page.locator('.card', { has: page.locator('h2:text-is("Revenue Per Day")') })
    expect(await chart.locator('.note').textContent()).toMatch(
      /NOK\u00a012\.34 of it verified.*bars are verified orders/,
    )
    expect(await chart.locator('.plot .y').allTextContents()).toContain('NOK 15')
    await page.setViewportSize({ width: 320, height: 844 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
    await page.setViewportSize({ width: 1440, height: 900 })
    const [head, line] = (await file(`/dashboard.csv?${period}`)).text.replace('\ufeff', '').split('\r\n')
    expect(head).toMatch(/,orders,revenue_NOK,verified_NOK,claimed_NOK$/)
    expect(line).toMatch(/,9011,more than 90071992547409\.91,12\.34,more than 90071992547409\.91$/)

    await open(`/dashboard?${period}&trust=verified`)
    expect(await card('Revenue').locator('.v').textContent()).toBe('NOK\u00a012.34')
    await open('/users?search=flood')
    expect(await page.locator('tbody tr').textContent()).toContain(`${most} (NOK\u00a012.34 verified)`)
    await open(journeyOf('flood'))
    expect(await card('Revenue').textContent()).toContain('NOK\u00a012.34 verified')
    const users = (await file('/users.csv?search=flood')).text.replace('\ufeff', '').split('\r\n')
    const [names, cells] = users.slice(0, 2).map((row) => row.split(','))
    expect(cells![names!.indexOf('verified_NOK')]).toBe('12.34')
  })

  it('keep large figures in their cards', async () => {
    await post(shop, [
      event('rich', 'purchase', { orderId: 'rich-1', revenue: 9_876_543_210, currency: 'CHF', items: [] }, ago(3)),
    ])
    for (const width of [320, 1440]) {
      await page.setViewportSize({ width, height: 844 })
      await open(journeyOf('rich'))
      const wider = await page
        .locator('.kpi .v')
        .evaluateAll((values) => values.filter((value) => value.scrollWidth > value.clientWidth).length)
      expect(wider).toBe(0)
    }
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('say how much is set aside, and why', async () => {
    const at = ago(9)
    const buy = (payload: Record<string, unknown>) => event('odd', 'purchase', { items: [], ...payload }, at)
    await post(shop, [
      buy({ orderId: 'aside-1', revenue: 50, currency: 'DKK' }),
      buy({ orderId: 'aside-1', revenue: 60.5, currency: 'DKK' }),
      buy({ orderId: 'aside-1', revenue: 7, currency: 'NOK' }),
      buy({ orderId: 'aside-2', revenue: '4,245.42', currency: 'DKK' }),
      buy({ orderId: 'aside-3', revenue: -3, currency: 'DKK' }),
      buy({ revenue: 1, currency: 'DKK' }),
      buy({ revenue: 1.25, currency: 'DKK' }),
      buy({ orderId: 'aside-4', revenue: 1 }),
    ])
    const day = new Date(Date.parse(at) + 5.75 * 3_600_000).toISOString().slice(0, 10)
    await open(`/dashboard?from=${day}&to=${day}&compare=none`)
    const aside = page.locator('.card', { has: page.locator('h2:text-is("Purchases Set Aside")') })
    expect(await aside.locator('.note').textContent()).toContain('7 purchases of this period are stored and shown')
    const rows = await aside.locator('tbody tr').all()
    const cells = await Promise.all(rows.map((row) => row.locator('td').allTextContents()))
    expect(cells.sort()).toEqual([
      ['A negative revenue', '1', '−DKK\u00a03.00'],
      ['A revenue that is no plain amount, such as 19,99 or 4,245.42', '1', '–'],
      ['An order sent again in another currency', '1', 'NOK\u00a07.00'],
      ['An order sent again with another amount', '1', 'DKK\u00a060.50'],
      ['No currency', '1', '–'],
      ['No order ID', '2', 'DKK\u00a02.25'],
    ])
    expect(await card('Revenue').locator('.v').textContent()).toBe('DKK\u00a050.00')
    // A day without any says nothing of them.
    await open('/dashboard?from=2020-01-01&to=2020-01-01&compare=none')
    expect(await aside.count()).toBe(0)
  })

  it('mark a purchase that repeats an order, and lead to the one that counts', async () => {
    const first = 'first/buyer?'
    const buy = (userId: string, revenue: number, minutes: number) =>
      event(userId, 'purchase', { orderId: 'twice', revenue, currency: 'CHF', items: [] }, ago(7, minutes))
    await post(shop, [buy(first, 20, 9)])
    await post(shop, [buy(first, 20, 8), buy('second', 21, 7)])
    await open(journeyOf('second'))
    const repetition = page.locator('.timeline p', { hasText: 'Repetition' })
    expect(await repetition.locator('.badge').textContent()).toBe('Repetition')
    expect(await repetition.textContent()).toBe(
      `Repetition The order counts in the journey of ${first}, with another amount.`,
    )
    await repetition.getByRole('link').click()
    await page.waitForURL(`**${journeyOf(first)}?type=purchase`)
    await page.locator('h1', { hasText: first }).waitFor()
    expect(await page.locator('.timeline .order').count()).toBe(2)
    expect(await repetition.allTextContents()).toEqual([
      'Repetition The order counts by another purchase of this user.',
    ])
  })

  it('keep the sums of many currencies apart from what stands beside them', async () => {
    const codes = ['CHF', 'EUR', 'SEK', 'NOK', 'DKK', 'PLN', 'JPY', 'KWD']
    await post(
      shop,
      codes.map((currency, index) =>
        event('trader', 'purchase', { orderId: `t-${index}`, revenue: 9_876_543, currency, items: [] }, ago(6, index)),
      ),
    )
    for (const width of [320, 1440]) {
      await page.setViewportSize({ width, height: 844 })
      await open(journeyOf('trader'))
      expect(await card('Revenue').textContent()).toMatch(
        /CHF\u00a09,876,543\.00and DKK\u00a09,876,543\.00, €9.*KWD\u00a09,876,543\.000/,
      )
      /** Texts that reach out of the figure, or of the line of a session, that they are of. */
      const outside = await page.locator('.kpi, .sessions a').evaluateAll((boxes) =>
        boxes.flatMap((box) => {
          const [range, its] = [document.createRange(), box.getBoundingClientRect()]
          range.selectNodeContents(box)
          const isOut = [...range.getClientRects()].some(
            ({ left, right }) => left < its.left || right > its.right + 0.5,
          )
          return isOut ? [box.textContent] : []
        }),
      )
      expect(outside).toEqual([])
    }
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('draw one bucket as a line and not as a speck', async () => {
    const day = new Date(Date.parse(ago(3)) + 5.75 * 3_600_000).toISOString().slice(0, 10)
    await open(`/dashboard?from=${day}&to=${day}&interval=week`)
    const box = await page.locator('.plot .drawing path').last().boundingBox()
    expect(box!.width).toBeGreaterThan(300)
  })

  it('give figures alone the figures of a table', async () => {
    await open('/users')
    const numeric = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).fontVariantNumeric)
    expect(await numeric('.user-id')).toBe('normal')
    expect(await numeric('td.num')).toBe('tabular-nums')
  })

  it('export what was asked for or say why not', async () => {
    expect(await file('/dashboard.csv?range=forever')).toEqual({ status: 400, text: 'There is no period “forever”.\n' })
    expect((await file('/dashboard.csv?from=2026-02-30')).status).toBe(400)
    expect((await file('/dashboard.csv?range=all')).status).toBe(200)
    expect(await file('/users.csv?from=2026-03-01&to=2026-03-31')).toEqual({
      status: 400,
      text: 'from: the list of users is of the whole history and takes no period.\n',
    })
    await open('/dashboard?range=forever')
    const link = await page.locator('a.btn', { hasText: 'Export CSV' }).getAttribute('href')
    expect((await file(link!)).status).toBe(200)
  })

  it("write times of files in the shop's zone", async () => {
    const [head, ...lines] = (await file('/users.csv')).text.trim().split('\r\n')
    expect(head).toContain('first_active,last_active')
    for (const line of lines) expect(line).toMatch(/T\d\d:\d\d:\d\d\.\d{3}\+05:45/)
  })

  it('print their figures without what is to be pressed', async () => {
    await open('/dashboard')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.locator('header.top').isVisible()).toBe(false)
    expect(await page.locator('.view-bar').isVisible()).toBe(false)
    expect(await page.locator('.kpis').isVisible()).toBe(true)
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)')
    expect(await page.evaluate(() => getComputedStyle(document.querySelector('h1')!).color)).toBe('rgb(13, 31, 31)')
    await page.emulateMedia({ media: null, colorScheme: null })
  })

  it('lead back to a page as it was looked at', async () => {
    await open('/dashboard?range=7d&compare=year')
    await page.click('.main-nav a:has-text("Users")')
    await page.waitForURL('**/users')
    await page.click('.table a.sort:has-text("Orders")')
    await page.waitForURL('**/users?sort=orders&order=desc')
    await page.click('.main-nav a:has-text("Dashboard")')
    await page.waitForURL('**/dashboard?range=7d&compare=year')
    await page.keyboard.press('g')
    await page.keyboard.press('u')
    await page.waitForURL('**/users?sort=orders&order=desc')
    // A page that is loaded anew in the same tab knows it, too.
    await open('/system')
    await page.locator('.main-nav a[href="/dashboard?range=7d&compare=year"]').click()
    await page.waitForURL('**/dashboard?range=7d&compare=year')
  })

  it('say how many rows there are, also after Back', async () => {
    await open('/users')
    const rows = page.locator('nav[aria-label="Rows of a page"]')
    await rows.locator('a', { hasText: '100' }).click()
    await page.waitForURL('**/users?pageSize=100')
    await rows.locator('[aria-current]', { hasText: '100' }).waitFor()
    await page.goBack()
    await rows.locator('[aria-current]', { hasText: '50' }).waitFor()
  })

  it('keep the focus in the search', async () => {
    await open('/users')
    const field = page.locator('[name=search]')
    await field.fill('long')
    await field.press('Enter')
    await page.waitForURL('**/users?search=long')
    await page.locator('.sub', { hasText: '1 user' }).waitFor()
    expect(await field.evaluate((element) => element === document.activeElement)).toBe(true)
    await page.goBack()
    await page.waitForURL('**/users')
    await expect.poll(() => field.inputValue()).toBe('')
  })

  it('choose a type when the choice is made, and not on the way to it', async () => {
    await open(journeyOf(turned))
    const types = page.locator('[name=type]')
    await types.focus()
    await page.keyboard.press('ArrowDown')
    await types.selectOption('add_to_cart')
    expect(new URL(page.url()).search).toBe('')
    await page.click('button:has-text("Apply")')
    await page.waitForURL('**/journey?type=add_to_cart')
  })

  it('show the chosen session also where it is none of the newest', async () => {
    await post(
      shop,
      Array.from({ length: 25 }, (_, index) => ({
        ...event('many', 'page_view', { url: '/' }, ago(index + 1)),
        sessionId: `many-${index}`,
      })),
    )
    await open(`${journeyOf('many')}?session=many-24`)
    expect(await page.locator('.sessions a').count()).toBe(21)
    const isInTheBox = () =>
      page.locator('.sessions a[aria-current]').evaluate((mark) => {
        const [box, its] = [mark.closest('.flush')!.getBoundingClientRect(), mark.getBoundingClientRect()]
        return its.top >= box.top && its.bottom <= box.bottom
      })
    expect(await page.locator('.sessions a[aria-current]').textContent()).toContain('Session 1 ')
    expect(await isInTheBox()).toBe(true)
    await open(`${journeyOf('many')}?session=many-17`)
    expect(await page.locator('.sessions a[aria-current]').textContent()).toContain('Session 8 ')
    await expect.poll(isInTheBox).toBe(true)
    // One that was chosen after older ones were loaded stays among them.
    await open(journeyOf('many'))
    await page.click('text=Load older sessions')
    await page.locator('.sessions a').nth(24).click()
    await page.locator('.sessions a[aria-current]', { hasText: 'Session 1 ' }).waitFor()
    expect(await page.locator('.sessions a').count()).toBe(25)
    expect(await isInTheBox()).toBe(true)
    // On a phone it stands with the few that are not folded away.
    await page.setViewportSize({ width: 390, height: 844 })
    await open(`${journeyOf('many')}?session=many-17`)
    expect(await page.locator('.sessions a').locator('visible=true').count()).toBe(4)
    expect(await page.locator('.sessions a[aria-current]').isVisible()).toBe(true)
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('say in the title what they could not show', async () => {
    await page.goto(`${shop.url}${journeyOf('many')}?cursor=nonsense`)
    expect(await page.title()).not.toContain('User not found')
    await page.goto(shop.url + journeyOf('nobody'))
    expect(await page.title()).toBe('User not found · Veritas')
  })

  it('close a menu that the keyboard leaves', async () => {
    await open('/dashboard')
    await page.locator('.compare-menu summary').focus()
    await page.keyboard.press('Enter')
    await page.locator('.compare-menu[open]').waitFor()
    await page.locator('.compare-menu a').last().focus()
    await page.keyboard.press('Tab')
    await expect.poll(() => page.locator('.compare-menu[open]').count()).toBe(0)
  })

  it('tell of another page, and put the focus at its beginning', async () => {
    await open('/dashboard')
    await page.click('.main-nav a:has-text("Users")')
    await page.waitForURL('**/users**')
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main')
    await page.locator('.page-told', { hasText: 'Users · Veritas' }).waitFor({ state: 'attached' })
  })

  it('leave single keys to those who want them', async () => {
    await open('/dashboard')
    await page.keyboard.press('?')
    await page.getByLabel('Single keys').uncheck()
    await page.keyboard.press('Escape')
    await page.locator('dialog[open]').waitFor({ state: 'detached' })
    await page.keyboard.press('?')
    expect(await page.locator('dialog[open]').count()).toBe(0)
    await page.keyboard.press('Control+k')
    await page.locator('dialog.palette[open]').waitFor()
    await page.keyboard.press('Escape')
    await open('/dashboard')
    expect(await page.evaluate(() => window.localStorage.getItem('veritas-single-keys'))).toBe('off')
    await page.evaluate(() => window.localStorage.clear())
  })

  it('fit a phone: years, titles, fields that are not zoomed, tables within the reach of keys', async () => {
    await post(shop, [event('old', 'page_view', { url: '/' }, '2022-11-29T05:15:00.000Z')])
    await page.setViewportSize({ width: 390, height: 844 })
    await open('/users?search=old')
    expect(await page.locator('tbody time').last().locator('span', { hasText: '2022' }).isVisible()).toBe(true)
    const sizeOf = (field: string) => page.locator(field).evaluate((element) => getComputedStyle(element).fontSize)
    expect(await sizeOf('[name=search]')).toBe('16px')
    expect(await page.locator('.rows').getAttribute('tabindex')).toBe('0')
    await open(journeyOf('old'))
    for (const field of ['[name=type]', '[name=date]']) expect([field, await sizeOf(field)]).toEqual([field, '16px'])
    const isCut = (element: Element) => element.scrollWidth > element.clientWidth
    expect(await page.locator('h2', { hasText: 'Timeline' }).evaluate(isCut)).toBe(false)
    await open('/dashboard?from=2022-11-28&to=2022-11-29')
    await page.locator('.range-menu summary span:visible', { hasText: '2022' }).waitFor()
    await page.setViewportSize({ width: 320, height: 844 })
    const types = page.locator('.card', { has: page.locator('h2:text-is("Most Common Event Types")') })
    expect(await types.locator('.rows').evaluate(isCut)).toBe(false)
    const cookies = await browser.context.cookies()
    await browser.context.clearCookies()
    await page.goto(`${shop.url}/login`)
    for (const field of ['[name=email]', '[name=password]'])
      expect([field, await sizeOf(field)]).toEqual([field, '16px'])
    await browser.context.addCookies(cookies)
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('let the list of shortcuts be read to its end on a small screen', async () => {
    await page.setViewportSize({ width: 390, height: 300 })
    await open('/dashboard')
    await page.keyboard.press('?')
    const dialog = page.locator('dialog[open]')
    const box = (await dialog.boundingBox())!
    expect(box.y).toBeGreaterThanOrEqual(0)
    expect(box.y + box.height).toBeLessThanOrEqual(300)
    expect(await dialog.evaluate((element) => element.scrollHeight > element.clientHeight)).toBe(true)
    // As a hand does it: a script may scroll also what nobody else can.
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.wheel(0, 10_000)
    const left = () => dialog.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop)
    await expect.poll(left).toBeLessThanOrEqual(1)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('say what colour alone says also where the system chooses all colours', async () => {
    await page.emulateMedia({ forcedColors: 'active' })
    const outline = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).outlineStyle)
    /** Its color, and that of the page behind it. */
    const filled = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => [element, document.body].map((each) => getComputedStyle(each).backgroundColor))
    await open('/dashboard?range=30d')
    expect(await outline('.seg > [aria-current]')).toBe('solid')
    for (const selector of ['.dot', '.bar i']) {
      const [own, behind] = await filled(selector)
      expect([selector, own]).not.toEqual([selector, behind])
    }
    const adjusted = await page
      .locator('.drawing svg')
      .first()
      .evaluate((drawing) => getComputedStyle(drawing).forcedColorAdjust)
    expect(adjusted).toBe('none')
    await page.keyboard.press('Control+k')
    await page.locator('.palette [role=option][aria-selected=true]').waitFor()
    expect(await outline('.palette [role=option][aria-selected=true]')).toBe('solid')
    await page.keyboard.press('Escape')
    await open(`${journeyOf('trader')}?session=trader-a`)
    expect(await outline('.sessions a[aria-current]')).toBe('solid')
    await page.emulateMedia({ forcedColors: null })
  })

  it('keep the tip of a chart where a finger was', async () => {
    await open('/dashboard?range=30d')
    const pointer = page.locator('.plot .pointer').first()
    const box = (await pointer.boundingBox())!
    const at = { clientX: box.x + box.width / 2, clientY: box.y + 40, pointerType: 'touch', bubbles: true }
    await pointer.dispatchEvent('pointerdown', at)
    await page.locator('.plot .tip').waitFor()
    await pointer.dispatchEvent('pointerout', at)
    await page.evaluate(() => new Promise(requestAnimationFrame))
    expect(await page.locator('.plot .tip').count()).toBe(1)
    await pointer.dispatchEvent('pointermove', { ...at, pointerType: 'mouse' })
    await pointer.dispatchEvent('pointerout', { ...at, pointerType: 'mouse' })
    await expect.poll(() => page.locator('.plot .tip').count()).toBe(0)
  })

  it('and complain of nothing in the console', () => {
    expect(complaints).toEqual([])
  })
})
