import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { addMonths, monthOf, monthStart } from '../../server/analysis/months.ts'
import { openStore } from '../../server/store/open.ts'
import type { Store } from '../../server/store/store.ts'
import type { Browser } from '../chromium.ts'
import { holdWriting } from '../hold-writing.ts'
import { type MongoServer, startMongo } from '../mongo/mongo-server.ts'
import { startServer, type TestServer, temporaryFolder } from '../server.ts'
import { eventually, signUpOwner } from '../shop.ts'
import type { StoreKind } from '../store-kind.ts'
import { withResolvers } from '../with-resolvers.ts'
import { atWork, axeViolations, describePages, openPages, type PageShop, watchConsole } from './shop.ts'

const views = [
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const

let server: TestServer
let shop: PageShop
let browser: Browser
let page: Page

/** Null for SQLite. One of this file's own, since it is told to fail. */
let mongo: MongoServer | null
let mongoUrl: string | null
let dataDir: string

function openShopStore(): Promise<Store> {
  return openStore({ mongoUrl, storePath: join(dataDir, 'veritas.db'), storeReaders: 1 })
}

/** Keeps the store from being written, while it can be read. */
async function hold(): Promise<{ close(): Promise<void> }> {
  const held = mongo
  if (held === null) {
    const sqlite = await holdWriting(join(dataDir, 'veritas.db'))
    return { close: async () => sqlite.close() }
  }
  const data = { failCommands: ['insert', 'update'], appName: 'veritas', errorCode: 91 }
  await held.admin({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data })
  return { close: async () => void (await held.admin({ configureFailPoint: 'failCommand', mode: 'off' })) }
}

async function send(events: object[]): Promise<void> {
  const response = await fetch(`${server.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      events.map((event) => ({ userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' }, ...event })),
    ),
  })
  expect(response.status).toBe(202)
}

const monthsAgo = (months: number) => addMonths(monthOf(Date.now()), -months)
const old = (eventId: string, months: number) => ({
  eventId,
  occurredAt: new Date(monthStart(monthsAgo(months))).toISOString(),
})

/**
 * Has events accepted, and the months before the last `months` dropped before they are stored: the store refuses those
 * of dropped months, which become dead letters. The server stands still meanwhile, for its door would refuse them too.
 */
async function sendAndForget(events: object[], months: number): Promise<void> {
  const held = await hold()
  await send(events)
  process.kill(server.pid, 'SIGSTOP')
  try {
    await held.close()
    const store = await openShopStore()
    await store.dropMonthsBefore(monthsAgo(months))
    await store.close()
  } finally {
    process.kill(server.pid, 'SIGCONT')
  }
}

// biome-ignore lint/performance/useDomNodeTextContent: as it is read, with a space between one cell and the next.
const seen = async (locator: Locator) => (await locator.innerText()).replace(/\s+/g, ' ')
const text = (selector: string) => seen(page.locator(selector).first())
const card = (title: string) => page.locator('section.card', { has: page.getByRole('heading', { name: title }) })
const said = (title: string) => seen(card(title))

describePages('the System page', (storeKind: StoreKind) => {
  beforeAll(async () => {
    dataDir = temporaryFolder()
    mongo = storeKind === 'mongo' ? await startMongo({ own: true }) : null
    mongoUrl = mongo?.newDatabase() ?? null
    const env = { SITE_TIME_ZONE: 'Asia/Kathmandu', ...(mongoUrl !== null && { STORE_URL: mongoUrl }) }
    server = await startServer({ dataDir, args: ['--no-demo'], env })
    shop = { server, url: server.url, cookie: await signUpOwner(server.url) }
    browser = await openPages(shop)
    page = browser.context.pages()[0]!
  })
  afterAll(() => browser?.close())

  it('is found in the account menu that was opened before the scripts were there', async () => {
    const scripts = withResolvers()
    await page.route(/\.js(\?|$)/, async (route) => {
      await scripts.promise
      await route.continue()
    })
    await page.goto(`${shop.url}/dashboard`, { waitUntil: 'commit' })
    await page.locator('.account').click()
    const link = page.getByRole('link', { name: 'System' })
    await link.waitFor()
    scripts.resolve()
    await atWork(page)
    expect(await link.isVisible()).toBe(true)
    await page.unrouteAll()
  })

  it('is found in the account menu and by the palette, and is calm when nothing came yet', async () => {
    const complaints = watchConsole(browser.context)
    await page.goto(`${shop.url}/dashboard`)
    await atWork(page)
    await page.locator('.account').click()
    await page.getByRole('link', { name: 'System' }).click()
    await page.waitForURL('**/system')
    await page.getByRole('heading', { level: 1, name: 'System' }).waitFor()
    // A store that took longer than a second to answer is taken for away until the next look.
    await eventually(async () => {
      expect(await text('.sub')).toContain('Collecting works. Nothing to look at · checked')
      expect(await said('Parts')).toMatch(
        new RegExp(`Query store Works ${storeKind === 'mongo' ? 'MongoDB' : 'SQLite'} Daily export Not set up –`),
      )
    })
    expect(await text('.kpis')).toMatch(/Ingest rate 0 events\/s none in the last hour Waiting 0 events all are stored/)
    expect(await said('The count balances')).toContain('0 missing')
    expect(await said('Dead letters')).toContain('Every accepted event is stored')
    expect(await said('Processes')).toContain(`${server.pid} on`)
    // Only a database across the network has others of which this machine knows nothing.
    expect(await text('.head')).toContain(storeKind === 'mongo' ? `figures of ${hostname()} alone` : 'checked')
    expect((await text('.head')).includes('alone')).toBe(storeKind === 'mongo')

    await page.goto(`${shop.url}/dashboard`)
    await atWork(page)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('syst')
    await page.getByRole('option', { name: 'System' }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/system')
    expect(complaints).toEqual([])
  })

  it('follows what happens by itself: rates, the balance, dead letters', async () => {
    await sendAndForget([{ eventId: 'a' }, { eventId: 'b' }, old('c', 14), { eventId: 'd', type: 'no_such_type' }], 12)
    await send([{ eventId: 'a' }])
    await page.locator('.sum').getByText('Stored').waitFor()
    await eventually(async () => {
      expect(await text('.sum')).toBe('Accepted 4 =Stored 2 +Duplicates 1 +Dead letters 1 +Waiting 0')
    })
    await eventually(async () => expect(await said('The count balances')).toContain('1 event was refused'))
    expect(await text('.kpis')).toMatch(/Ingest rate (< )?\d.* events\/s/)
    await eventually(async () => expect(await text('.sub')).toContain('Look at: dead letters'))
    await eventually(async () => expect(await text('.foot')).toContain('1 dead letter to look at'))
  })

  it('shows a dead letter, and retries and discards by keyboard', async () => {
    await sendAndForget([old('e', 8)], 6)
    await eventually(async () => expect(await page.locator('.letters > li').count()).toBe(2))
    const first = page.locator('.letters > li').first()
    await first.locator('summary').first().focus()
    await page.keyboard.press('Enter')
    expect(await seen(first.locator('.code-box'))).toContain('"eventId": "c"')
    expect(await seen(first)).toContain('from which on events are kept')

    await first.getByRole('button', { name: 'Retry' }).press('Enter')
    await page.getByText('1 event refused again.').waitFor()
    await page.getByRole('button', { name: 'Retry all 2' }).click()
    await page.getByText('2 events refused again.').waitFor()

    await first.locator('.sure summary').press('Enter')
    const discard = first.getByRole('button', { name: 'Discard this event' })
    // What was sent before is said before the page is loaded anew; until then nothing else can be sent.
    await eventually(async () => expect(await discard.isEnabled()).toBe(true))
    await discard.press('Enter')
    await page.getByText('1 event was discarded.').waitFor()
    await eventually(async () => expect(await page.locator('.letters > li').count()).toBe(1))
    await eventually(async () => expect(await text('.kpis')).toContain('Dead letters 1'))
  })

  it('says how long events have waited while the store cannot be written', async () => {
    const held = await hold()
    await send([{ eventId: 'f' }, { eventId: 'g' }])
    await eventually(async () => expect(await text('.kpis')).toMatch(/Waiting 2 events oldest \d/))
    expect(await said('Parts')).toMatch(/Writer Works \d+(\.\d)? s behind/)
    expect(await text('.sum')).toContain('+Waiting 2')
    await held.close()
    await eventually(async () => expect(await text('.kpis')).toContain('Waiting 0 events'))
  })

  it('tells of an event that came under the id of another', async () => {
    const told = 'of the duplicates 1 event had the id of another event (npm run dead-letters -- conflicts)'
    expect(await said('The count balances')).not.toContain('had the id of another event')
    await send([{ eventId: 'a', payload: { url: '/another' } }])
    await eventually(async () => expect(await said('The count balances')).toContain(told))
    await eventually(async () => expect(await text('.sub')).toContain('ids of events that were used twice'))
  })

  it.each(views)('is accessible and fits at $width, $colorScheme', async ({ width, height, colorScheme }) => {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.goto(`${shop.url}/system`)
    await page.locator('.letters summary').first().click()
    await page.locator('.more-rows summary').first().click()
    expect(await axeViolations(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
    expect(await page.locator('h1').count()).toBe(1)
  })

  it('reads without scripts, and its forms work', async () => {
    const plain = await openPages(shop, { javaScriptEnabled: false })
    const still = plain.context.pages()[0]!
    await still.goto(`${shop.url}/system`)
    expect(await seen(still.locator('.kpis'))).toContain('Dead letters')
    await still.getByRole('button', { name: 'Retry all 1' }).click()
    expect(await seen(still.locator('.banner'))).toContain('1 event refused again.')
    await plain.close()
  })

  it('an analyst sees the count of dead letters, not what is in them', async () => {
    const { letters, sees } = await asAnalyst()
    expect(sees).toContain('The owner of this server can see, retry and discard them.')
    expect(sees).not.toContain('Retry all')
    expect(letters).toBe(403)
  })

  it('keeps its figures and says how old they are when the server is gone; a wrong form is told so', async () => {
    const wrong = await fetch(`${shop.url}/system`, {
      method: 'POST',
      headers: { cookie: shop.cookie, 'content-type': 'application/x-www-form-urlencoded', origin: shop.url },
      body: 'verb=explode',
    })
    expect(wrong.status).toBe(400)
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.goto(`${shop.url}/system`)
    await page.waitForSelector('.plot .pointer')
    await server.stop()
    await page.locator('.banner.warn').waitFor()
    expect(await text('.banner.warn')).toMatch(/These figures are from \d\d:\d\d:\d\d, \d+ s ago\./)
    expect(await text('.sub')).toContain('connection lost, retrying')
    expect(await text('.kpis')).toContain('Dead letters 1')
    expect(await axeViolations(page)).toEqual([])
  })
})

/** What somebody sees who was invited, and how the procedure answers them. */
async function asAnalyst(): Promise<{ sees: string; letters: number }> {
  const { createToken, hashToken } = await import('../../server/accounts/tokens.ts')
  const store = await openShopStore()
  const token = createToken()
  const email = 'anna@nordlicht.example'
  await store.accounts.createInvitation({
    tokenHash: hashToken(token),
    email,
    createdAt: Date.now(),
    expiresAt: Date.now() + 3_600_000,
  })
  await store.close()
  const signedUp = await fetch(`${shop.url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Anna Lind', email, password: 'a-long-password', invitation: token }),
  })
  const cookie = signedUp.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const headers = { cookie, accept: 'text/html' }
  const sees = await (await fetch(`${shop.url}/system`, { headers })).text()
  const letters = await fetch(`${shop.url}/trpc/system.deadLetters?input=%7B%7D`, { headers: { cookie } })
  return { sees, letters: letters.status }
}
