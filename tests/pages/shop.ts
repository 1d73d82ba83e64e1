import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { BrowserContext, Page } from 'playwright-core'
import { type Browser, chromium, openBrowser } from '../chromium.ts'
import { startMongo } from '../mongo/mongo-server.ts'
import { mongo } from '../mongo/need.ts'
import { describeWith } from '../needs.ts'
import { startServer, type TestServer } from '../server.ts'
import { eventually, signUpOwner } from '../shop.ts'
import { type StoreKind, storeKinds } from '../store-kind.ts'

/** A zone east of UTC in which every machine's own zone shows as a mistake. */
const zone = 'Asia/Kathmandu'
/** Ids that an address must spell with care. */
export const oddIds = ['a/b?x', 'ü%', 'with space', '%2F', '=cmd()']

export interface PageShop {
  server: TestServer
  url: string
  cookie: string
}

export interface PostedEvent {
  userId: string
  sessionId: string
  type: string
  payload?: Record<string, unknown>
  occurredAt?: string
}

/** A suite that needs a browser, run once for each kind of store: the pages are the same. */
export function describePages(name: string, body: (store: StoreKind) => void): void {
  for (const store of storeKinds) {
    const isMissing = store === 'mongo' && mongo.missing !== null
    describeWith(isMissing ? mongo : chromium, `${name} (${store})`, () => body(store))
  }
}

/** The settings by which a server finds a new store. */
export async function newStore(store: StoreKind): Promise<Record<string, string>> {
  return store === 'mongo' ? { STORE_URL: (await startMongo()).newDatabase() } : {}
}

/** An empty shop in Kathmandu that counts in Swiss francs, and its owner's login. */
export async function startEmptyShop(store: StoreKind = 'sqlite'): Promise<PageShop> {
  const server = await startServer({
    args: ['--no-demo'],
    env: { SITE_NAME: 'Nordlicht Outdoor', SITE_TIME_ZONE: zone, SITE_CURRENCY: 'CHF', ...(await newStore(store)) },
  })
  return { server, url: server.url, cookie: await signUpOwner(server.url) }
}

/** Posts events, with a write key or without, and waits until the figures have them. */
export async function post({ url, cookie }: PageShop, events: PostedEvent[], key?: string): Promise<void> {
  const before = await totalEvents(url, cookie)
  for (let start = 0; start < events.length; start += 500) {
    const response = await fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(events.slice(start, start + 500)),
    })
    if (response.status !== 202) throw new Error(`POST /events answered ${response.status}: ${await response.text()}`)
  }
  await eventually(async () => {
    const now = await totalEvents(url, cookie)
    if (now !== before + events.length) throw new Error(`${now} of ${before + events.length} events are counted.`)
  })
}

async function totalEvents(url: string, cookie: string): Promise<number> {
  const response = await fetch(`${url}/stats`, { headers: { cookie, accept: 'application/json' } })
  return ((await response.json()) as { totalEvents: number }).totalEvents
}

/** An instant some days and minutes before now. */
export function ago(days: number, minutes = 0): string {
  return new Date(Date.now() - days * 86_400_000 - minutes * 60_000).toISOString()
}

/** A browser that is logged in to the shop. */
export async function openPages(
  { url, cookie }: PageShop,
  options: Parameters<typeof openBrowser>[0] = {},
): Promise<Browser> {
  const browser = await openBrowser({ viewport: { width: 1440, height: 900 }, ...options })
  const cookies = cookie.split('; ').map((pair) => {
    const at = pair.indexOf('=')
    return { name: pair.slice(0, at), value: pair.slice(at + 1), url }
  })
  await browser.context.addCookies(cookies)
  return browser
}

/** Waits until the scripts of a page are at work: what is clicked or pressed before goes to the page as it came. */
export async function atWork(page: Page): Promise<void> {
  await page.locator('.shortcuts-hint').waitFor({ state: 'attached' })
  await page.evaluate(async () => void (await document.fonts.ready))
}

/** Everything a page complains of in its console: hydration, the content security policy, failed scripts. */
export function watchConsole(context: BrowserContext): string[] {
  const complaints: string[] = []
  const watch = (page: Page) => {
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      // An address that answers 404 or 401 as it should is told by the browser as well.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
  }
  context.pages().forEach(watch)
  context.on('page', watch)
  return complaints
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong with the page, each with the element; empty when nothing. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  return page.evaluate(async () => {
    type Run = (root: Document) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>
    const { axe } = window as unknown as { axe: { run: Run } }
    const { violations } = await axe.run(document)
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
  })
}
