import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../chromium.ts'
import { eventually, owner } from '../shop.ts'
import { withResolvers } from '../with-resolvers.ts'
import { ago, atWork, describePages, openPages, type PageShop, post, startEmptyShop, watchConsole } from './shop.ts'

const views = 130
const data = /\.data(\?|$)/
const older = /\/older\?/

const viewsOf = (userId: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    userId,
    sessionId: `${userId}-a`,
    type: 'page_view',
    payload: { url: `/${userId}-${index}` },
    occurredAt: ago(1, index),
  }))

describePages('pages whose loads fail or come late', (store) => {
  let shop: PageShop
  let browser: Browser
  let complaints: string[]
  let page: Page

  beforeAll(async () => {
    shop = await startEmptyShop(store)
    await post(shop, [...viewsOf('ana', views), ...viewsOf('ben', views), ...viewsOf('cem', 3)])
    browser = await openPages(shop)
    complaints = watchConsole(browser.context)
    page = browser.context.pages()[0]!
  })
  afterAll(() => browser?.close())

  const open = async (path: string) => {
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.goto(shop.url + path)
    await atWork(page)
    await page.evaluate(() => document.body.setAttribute('data-same-document', 'yes'))
  }
  /** Waits until the page has asked for the scripts of all others by itself, and until they are there. */
  const scriptsOfAllPages = async () => {
    const modules = await page.evaluate(() => {
      const { __remixManifest } = window as unknown as {
        __remixManifest: { routes: Record<string, { module: string }> }
      }
      return Object.values(__remixManifest.routes).map(({ module }) => module)
    })
    const areAskedFor = (paths: string[]) =>
      paths.every((path) => performance.getEntriesByName(new URL(path, location.href).href).length > 0)
    await page.waitForFunction(areAskedFor, modules)
    // As text: what runs the tests puts an import of its own in the place of the browser's.
    await page.evaluate(`Promise.all(${JSON.stringify(modules)}.map((path) => import(path))).then(() => {})`)
  }
  const isSameDocument = async () => (await page.locator('body[data-same-document=yes]').count()) === 1
  const says = (text: string) => page.locator('[role=status]', { hasText: text }).first().waitFor()
  const figure = (name: string) =>
    page
      .locator('.kpi', { has: page.locator(`dt:text-is("${name}")`) })
      .locator('.v')
      .first()
  const visit = (userId: string) => `/users/${userId}/journey`
  const items = () => page.locator('.timeline .icon').count()
  const view = (userId: string) => ({ userId, sessionId: `${userId}-b`, type: 'page_view', payload: { url: '/new' } })

  it.each([
    ['is aborted', undefined],
    ['a proxy answers with its own page', { status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }],
    ['a proxy answers 200 with its own page', { status: 200, contentType: 'text/html', body: '<h1>Wait</h1>' }],
  ])('keep their figures when a refresh %s, say so, and go on by themselves', async (_, answer) => {
    await open('/dashboard')
    const total = Number(await figure('Total Events').textContent())
    await page.route(data, (route) => (answer ? route.fulfill(answer) : route.abort()))
    await post(shop, [view('cem')])
    await says('Connection lost, retrying · figures of')
    expect(await figure('Total Events').textContent()).toBe(String(total))
    await page.unrouteAll()
    await says('Up to date')
    await eventually(async () => expect(await figure('Total Events').textContent()).toBe(String(total + 1)))
    expect(await isSameDocument()).toBe(true)
  })

  it('show the list as it was when a sort finds nobody, and sort it when somebody answers again', async () => {
    await open('/users')
    const ids = () => page.locator('.table tbody th').allTextContents()
    const before = await ids()
    await page.route(data, (route) => route.abort())
    await page.getByRole('link', { name: 'User ID' }).click()
    await says('Connection lost, retrying')
    expect(await ids()).toEqual(before)
    await page.unrouteAll()
    await eventually(async () => expect(await ids()).toEqual(['cem', 'ben', 'ana']))
    expect(await isSameDocument()).toBe(true)
  })

  it('say that nothing answers where they have nothing to show, and come by themselves', async () => {
    await open('/dashboard')
    await scriptsOfAllPages()
    // Everything but what is there already.
    await page.route('**', (route) => route.abort())
    await page.getByRole('navigation', { name: 'Main' }).first().getByRole('link', { name: 'Users' }).click()
    await page.getByRole('heading', { level: 1, name: 'The server does not answer' }).waitFor()
    expect(await page.textContent('.error-page')).not.toContain('logged')
    await page.unrouteAll()
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor()
  })

  it('keep a search of the palette until it is answered', async () => {
    await open('/dashboard')
    await page.route(/users\.list/, (route) => route.abort())
    await page.keyboard.press('/')
    await page.keyboard.type('an')
    await says('Connection lost, retrying')
    await page.unrouteAll()
    await page.getByRole('option', { name: 'ana' }).waitFor()
    await page.keyboard.press('Escape')
    expect(await isSameDocument()).toBe(true)
  })

  it('keep the timeline when older events do not come, and append them when they do', async () => {
    await open(visit('ana'))
    await page.route(older, (route) => route.abort())
    await page.getByRole('link', { name: 'Load older events' }).click()
    await page.getByRole('link', { name: 'Connection lost, retrying' }).waitFor()
    expect(await items()).toBe(100)
    await page.unrouteAll()
    await eventually(async () => expect(await items()).toBe(views))
    expect(await isSameDocument()).toBe(true)
  })

  it.each([
    ['another user', async () => void (await page.evaluate(() => window.history.back()))],
    [
      'another filter',
      async () => {
        await page.locator('[name=type]').selectOption('page_view')
        await page.click('button:has-text("Apply")')
      },
    ],
  ])('drop older events that come when %s is shown', async (_, leave) => {
    await open(visit('ben'))
    await page.getByRole('link', { name: 'Back to Users' }).click()
    await page.locator('.table tbody th a', { hasText: 'ana' }).click()
    await page.locator('h1', { hasText: 'ana' }).waitFor()
    // One step back is the list, from which the other user is one click.
    const held = withResolvers()
    const asked = withResolvers()
    await page.route(older, async (route) => {
      asked.resolve()
      await held.promise
      await route.continue().catch(() => {})
    })
    await page.getByRole('link', { name: 'Load older events' }).click()
    await asked.promise
    await leave()
    if (_ === 'another user') {
      await page.locator('.table tbody th a', { hasText: 'cem' }).click()
      await page.locator('h1', { hasText: 'cem' }).waitFor()
    } else await page.waitForURL(/type=page_view/)
    const shown = await items()
    held.resolve()
    await page.unrouteAll({ behavior: 'wait' })
    // What is asked for now comes after what was dropped.
    await post(shop, [view(_ === 'another user' ? 'cem' : 'ana')])
    const first = page.locator('.timeline .say', { hasText: '/new' }).first()
    await first.waitFor()
    expect(await items()).toBeLessThanOrEqual(shown + 1)
  })

  it('of users and journeys show what comes, and say when nothing answers', async () => {
    await open('/users')
    await post(shop, [view('dan')])
    await page.locator('.table tbody th', { hasText: 'dan' }).waitFor()
    await browser.context.setOffline(true)
    await says('Connection lost, retrying · figures of')
    await browser.context.setOffline(false)
    await says('Up to date')
    await open(visit('dan'))
    expect(await items()).toBe(1)
    await post(shop, [view('dan')])
    await eventually(async () => expect(await items()).toBe(2))
    expect(await figure('Total Events').textContent()).toBe('2')
    await browser.context.setOffline(true)
    await says('Connection lost, retrying · figures of')
    await browser.context.setOffline(false)
    await says('Up to date')
    expect(await isSameDocument()).toBe(true)
  })

  it('keep older events that were asked for when newer ones come', async () => {
    await open(visit('ben'))
    await page.getByRole('link', { name: 'Load older events' }).click()
    await eventually(async () => expect(await items()).toBe(views))
    await post(shop, [view('ben'), view('ben')])
    await eventually(async () => expect(await items()).toBe(views + 2))
    expect(await page.textContent('.card footer .shown-count')).toContain(`${views + 2} of ${views + 2} events`)
  })

  it('load nothing while nothing changed, and nothing while they go somewhere', async () => {
    const answer = await fetch(`${shop.url}/trpc/stats.pulse`, { headers: { cookie: shop.cookie } })
    const pulse = ((await answer.json()) as { result: { data: Record<string, unknown> } }).result.data
    let [shown, pulses, loads] = [pulse, 0, 0]
    await page.route(/stats\.pulse/, async (route) => {
      pulses += 1
      await route.fulfill({ json: [{ result: { data: shown } }] })
    })
    const held = withResolvers()
    await page.route(data, async (route) => {
      loads += 1
      await held.promise
      await route.continue()
    })
    await page.goto(`${shop.url}/users`)
    await atWork(page)
    await eventually(async () => expect(pulses).toBeGreaterThan(2))
    expect(loads).toBe(0)

    await page.getByRole('link', { name: 'User ID' }).click()
    await eventually(async () => expect(loads).toBeGreaterThan(0))
    // The frame's own load is asked for beside the page's: by the next pulse both are.
    const pulsesBefore = pulses
    await eventually(async () => expect(pulses).toBeGreaterThan(pulsesBefore + 1))
    shown = { ...pulse, mark: 'another' }
    const [loadsThen, pulsesThen] = [loads, pulses]
    await eventually(async () => expect(pulses).toBeGreaterThan(pulsesThen + 2))
    expect(loads).toBe(loadsThen)
    held.resolve()
    await page.waitForURL(/sort=userId/)
    await page.unrouteAll({ behavior: 'ignoreErrors' })
  })

  it('end in silence when they are given up before all of their answer is there', async () => {
    const other = await browser.context.newPage()
    // Of one answer the first line comes, of the other half a line; the rest would come for ever.
    await other.addInitScript(() => {
      const { fetch } = window
      window.fetch = async (input, init) => {
        if (!String(input).includes('/users.data')) return fetch(input, init)
        const isFrame = /_routes=routes%2F_frame$/.test(String(input))
        const answer = await fetch(input, { ...init, signal: null })
        const bytes = new Uint8Array(await answer.arrayBuffer())
        const body = new ReadableStream({
          start(controller) {
            controller.enqueue(isFrame ? bytes.slice(0, bytes.length / 2) : bytes)
            init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
          },
        })
        document.body.dataset.begun = `${document.body.dataset.begun ?? ''}${isFrame ? 'frame' : 'page'} `
        return new Response(body, { status: answer.status, headers: answer.headers })
      }
    })
    await other.goto(`${shop.url}/dashboard`)
    await atWork(other)
    await other.locator('.main-nav a', { hasText: 'Users' }).click()
    await other.locator('body[data-begun*=frame][data-begun*=page]').waitFor()
    await other.locator('.account').click()
    await other.getByRole('link', { name: 'System' }).click()
    await other.locator('h1', { hasText: 'System' }).waitFor()
    await other.close()
  })

  it('keep their place when a choice of colours does not reach the server', async () => {
    await open('/dashboard')
    await page.route(/theme\.data/, (route) => route.abort())
    // Not when it is asked: without the route it would reach the server yet.
    const failed = page.waitForEvent('requestfailed', (request) => /theme\.data/.test(request.url()))
    await page.click('.account')
    await page.click('.account-menu button:has-text("Dark")')
    await failed
    await page.unrouteAll()
    await page.click('.account-menu button:has-text("Dark")')
    await page.waitForSelector('html[data-theme=dark]')
    expect(await page.textContent('h1')).toBe('Dashboard')
    expect(await isSameDocument()).toBe(true)
  })

  it('lead to the login, which says why, from the System page too, and back', async () => {
    await open('/system')
    await browser.context.addCookies([{ name: 'veritas_session', value: 'ended', url: shop.url }])
    await page.waitForURL((url) => url.pathname === '/login')
    // The address changes before the page does.
    await says('Your login has ended. Log in again')
    await page.fill('[name=email]', owner.email)
    await page.fill('[name=password]', owner.password)
    await page.click('button[type=submit]')
    await page.waitForURL((url) => url.pathname === '/system')
  })

  it.runIf(store === 'sqlite')(
    'load at most every two seconds under traffic, and not where nobody sees them',
    async () => {
      // A browser of its own, whose clock goes on when it is told to.
      const own = await openPages(shop)
      try {
        const seen = own.context.pages()[0]!
        await seen.clock.install({ time: Date.now() })
        await seen.clock.pauseAt(Date.now() + 60_000)
        // Something new whenever the page asks, as under traffic.
        const pulse = await fetch(`${shop.url}/trpc/stats.pulse?batch=1&input=%7B%220%22%3A%7B%7D%7D`, {
          headers: { cookie: shop.cookie },
        })
        const [answer] = (await pulse.json()) as [{ result: { data: object } }]
        let marks = 0
        await seen.route(/stats\.pulse/, (route) => {
          marks += 1
          const { data } = answer.result
          return route.fulfill({ json: [{ result: { data: { ...data, mark: `new-${marks}` } } }] })
        })
        await seen.addInitScript(() => {
          const asked = { pulses: 0, loads: [] as number[] }
          const ask = window.fetch
          window.fetch = (...args) => {
            const address = String(args[0] instanceof Request ? args[0].url : args[0])
            if (address.includes('stats.pulse')) asked.pulses += 1
            // A load asks for the frame as well, at the same time.
            if (address.endsWith('_routes=routes%2F_frame.dashboard')) asked.loads.push(performance.now())
            return ask(...args)
          }
          Object.assign(window, { asked })
        })
        const asked = () =>
          seen.evaluate(() => (window as unknown as { asked: { pulses: number; loads: number[] } }).asked)
        /** Lets time pass, however long the answers take, until there were so many loads. */
        const untilLoads = async (count: number) => {
          while ((await asked()).loads.length < count) await seen.clock.runFor(100)
          return asked()
        }
        await seen.goto(`${shop.url}/dashboard`)
        await atWork(seen)
        const { loads } = await untilLoads(4)
        // Two seconds, but for the moment that passes until one begins; without a rest it would be one.
        for (const [index, at] of loads.entries()) if (index > 0) expect(at - loads[index - 1]!).toBeGreaterThan(1500)
        const turn = (visibility: string) =>
          seen.evaluate((state) => {
            Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state })
            document.dispatchEvent(new Event('visibilitychange'))
          }, visibility)
        await turn('hidden')
        const before = await asked()
        await seen.clock.runFor(120_000)
        expect(await asked()).toEqual(before)
        await turn('visible')
        expect((await untilLoads(before.loads.length + 1)).pulses).toBeGreaterThan(before.pulses)
      } finally {
        await own.close()
      }
    },
  )

  it('made no complaint in the console', () => {
    expect(complaints.filter((text) => !/ERR_|Failed to fetch|SyntaxError/.test(text))).toEqual([])
  })
})
