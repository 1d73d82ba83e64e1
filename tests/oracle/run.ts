import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { eventually, signUpOwner } from '../shop.ts'
import { calendarOf } from './calendar.ts'
import {
  type Answer,
  type Asked,
  Comparison,
  compareExports,
  compareJourneys,
  compareStats,
  compareUsers,
  compareUsersFile,
} from './compare.ts'
import { compareComparisons } from './comparisons.ts'
import { type KeptEvent, Oracle, smallestUnits } from './figures.ts'
import { type DrawnEvent, type DrawnRequest, drawer, drawShop } from './random-posts.ts'

const run = promisify(execFile)
const BROWSER_PAST_MS = 7 * 86_400_000

/** A running server with its own data. */
export interface OracleServer {
  url: string
  dataDir: string
  /** Settings of its store, as it was started with. */
  env: Record<string, string>
}

export interface OracleReport {
  compared: number
  differences: string[]
  events: number
}

/**
 * Posts a random shop to a new server and compares the server's answers with naive computations from the posted events.
 * `start` starts the server with the shop's settings, such as its time zone.
 */
export async function runOracle(
  seed: number,
  start: (settings: Record<string, string>) => Promise<OracleServer>,
): Promise<OracleReport> {
  const shop = drawShop(seed, Date.now())
  const server = await start({ SITE_TIME_ZONE: shop.zone, SITE_NAME: 'Random shop' })
  const cookie = await signUpOwner(server.url)
  const key = (await script(server, 'keys.ts', 'create', '--kind', 'pk')).trim()
  const kept: KeptEvent[] = []
  // One at a time, so that the requests arrive in this order.
  for (const request of shop.requests) await post(server.url, key, request, kept)
  const oracle = new Oracle(kept, calendarOf(shop.zone))
  const get = (path: string) => ask(server.url, cookie, path)
  await eventually(async () => {
    const { totalEvents, freshness } = await get('/stats')
    const { waiting } = freshness as { waiting: number }
    if (waiting > 0) throw new Error(`${waiting} events wait, ${totalEvents} are counted.`)
  })
  const comparison = new Comparison()
  const asked: Asked = { oracle, get, draw: drawer(seed + 0.5), comparison }
  await compareStats(asked)
  await compareComparisons(asked, Date.now)
  await compareUsers(asked)
  await compareJourneys(asked)
  await compareExports(asked, (day) => exported(server, day))
  const file = await fetch(`${server.url}/users.csv`, { headers: { cookie } })
  await compareUsersFile(asked, await file.text())
  return { compared: comparison.compared, differences: comparison.differences, events: kept.length }
}

async function post(url: string, key: string, { sender, events }: DrawnRequest, kept: KeptEvent[]): Promise<void> {
  const sentAt = Date.now()
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(sender === 'browser' && { 'x-write-key': key }) },
    body: JSON.stringify(events.map(({ posted }) => posted)),
  })
  const answer = (await response.json()) as { accepted?: number }
  const taken = events.filter(
    ({ posted }) => sender === 'server' || Date.parse(posted.occurredAt) >= sentAt - BROWSER_PAST_MS,
  )
  const expected = taken.length > 0 ? 202 : 400
  if (response.status !== expected || (answer.accepted ?? 0) !== taken.length)
    throw new Error(`${taken.length} of these should be taken: ${JSON.stringify({ sender, events, answer })}`)
  for (const event of taken) kept.push(keptEvent(event, sender === 'server', kept.length))
}

/** The event as the server keeps it. `arrival`: its position in the order of all events. */
export function keptEvent({ posted, order, fault }: DrawnEvent, verified: boolean, arrival: number): KeptEvent {
  return {
    ...posted,
    at: Date.parse(posted.occurredAt),
    ...{ arrival, verified },
    order: order && {
      orderId: order.orderId,
      currency: order.currency,
      gross: smallestUnits(order.amount, order.currency),
      verified,
    },
    fault: fault && {
      reason: fault.reason,
      currency: fault.currency,
      gross: fault.amount !== null && fault.currency !== null ? smallestUnits(fault.amount, fault.currency) : 0n,
    },
  }
}

async function ask(url: string, cookie: string, path: string): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { headers: { cookie, accept: 'application/json' } })
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Answer
}

async function exported(server: OracleServer, day: string) {
  const to = join(server.dataDir, 'exported')
  await script(server, 'export.ts', '--day', day, '--to', to)
  const folder = join(to, 'site=default', `day=${day}`)
  const lines = gunzipSync(readFileSync(join(folder, 'events.ndjson.gz')))
    .toString('utf8')
    .trim()
  return {
    lines: lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line) as Answer),
    figures: JSON.parse(readFileSync(join(folder, 'figures.json'), 'utf8')) as Answer,
  }
}

async function script({ dataDir, env }: OracleServer, name: string, ...args: string[]): Promise<string> {
  const command = ['--import', 'tsx', join('scripts', name), ...args, '--data-dir', dataDir]
  const { stdout } = await run(process.execPath, command, { env: { ...process.env, ...env } })
  return stdout
}
