import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get as httpGet } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoLogin } from '../../server/accounts/demo.ts'
import { addDays, dayOf } from '../../server/analysis/zones.ts'
import { readConfig } from '../../server/config.ts'
import { prepareDemo } from '../../server/demo/prepare.ts'
import { createProgress } from '../../server/demo/progress.ts'
import { demoDefaults } from '../../server/demo/shop.ts'
import { openStore } from '../../server/store/open.ts'
import type { Store } from '../../server/store/store.ts'
import type { UsersList } from '../../trpc/schema/users.ts'
import { end, listening, spawnServer } from '../launch.ts'
import { machine, printTable, quantile } from './machine.ts'

const PAGE_SIZE = 50
const { siteId, zone } = demoDefaults

interface Size {
  events: number
  users: number
}

/** Milliseconds. `http` is what an analyst waits for, `store` the share of the store. */
export interface Latency {
  p50: number
  p95: number
}
interface Row {
  question: string
  events: number
  http: Latency
  store?: Latency
}

/** Measures the pages' queries on a small shop and one ten times larger: cost should not grow with the events. */
export async function benchQueries({ quick }: { quick: boolean }) {
  const sizes: Size[] = quick
    ? [
        { events: 20_000, users: 500 },
        { events: 50_000, users: 1250 },
      ]
    : [
        { events: 200_000, users: 5000 },
        { events: 2_000_000, users: 50_000 },
      ]
  const rows: Row[] = []
  for (const size of sizes) rows.push(...(await measureSize(size, quick ? 20 : 200)))
  print(rows, sizes)
  return { measuredAt: new Date().toISOString(), machine: machine(), rows }
}

async function measureSize({ events, users }: Size, runs: number): Promise<Row[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-bench-'))
  try {
    const now = Date.now()
    const config = readConfig({ DATA_DIR: dataDir })
    const store = await openStore(config)
    const onProgress = createProgress(`Seeding ${events.toLocaleString('en')} events`, 'events')
    await prepareDemo(store, { now, dataDir, options: { events, users }, onProgress })
    const questions = await askingStore(store, now)
    const inStore = new Map<string, Latency>()
    for (const [question, ask] of questions) inStore.set(question, await latency(ask, runs))
    await store.close()

    const server = spawnServer({ dataDir, env: { LOG_LEVEL: 'error' } })
    try {
      const url = await listening(server)
      const rows: Row[] = []
      for (const [question, ask] of await askingServer(url, now)) {
        const http = await latency(ask, runs)
        rows.push({ question, events, http, store: inStore.get(question) })
      }
      return rows
    } finally {
      await end(server)
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Question = [question: string, ask: () => Promise<unknown>]

const questions = {
  month: 'figures of 30 days, compared',
  all: 'figures of the whole history',
  page: 'dashboard page, rendered',
  first: 'users by events, first page',
  deepest: 'users by events, last page by number',
  keyset: 'users by events, before the last by cursor',
  prefix: 'users by the beginning of their ID',
  newest: 'journey of the busiest user, newest 100',
  oldest: 'journey of the busiest user, oldest 100',
}

/** The queries, asked of the store in this process. */
export async function askingStore(store: Store, now: number): Promise<Question[]> {
  const today = dayOf(zone, now)
  const list = { siteId, sort: 'totalEvents', order: 'desc', limit: PAGE_SIZE } as const
  const { users, total } = await store.listUsers(list)
  const userId = users[0]!.userId
  const offset = (Math.ceil(total / PAGE_SIZE) - 1) * PAGE_SIZE
  const lastPage = await store.listUsers({ ...list, offset })
  const before = { value: lastPage.users[0]!.events, userId: lastPage.users[0]!.userId }
  const { firstDay } = await store.totals(siteId)
  const journey = { siteId, userId, limit: 101 } as const
  return [
    [
      questions.month,
      async () => {
        await store.overview({ siteId, from: addDays(today, -29), to: today })
        await store.overview({ siteId, from: addDays(today, -59), to: addDays(today, -30) })
      },
    ],
    [questions.all, () => store.overview({ siteId, from: firstDay!, to: today })],
    [questions.first, () => store.listUsers(list)],
    [questions.deepest, () => store.listUsers({ ...list, offset })],
    [questions.keyset, () => store.listUsers({ ...list, before })],
    [questions.prefix, () => store.listUsers({ ...list, prefix: userId.slice(0, 7) })],
    [questions.newest, () => store.journey({ ...journey, order: 'desc' })],
    [questions.oldest, () => store.journey({ ...journey, order: 'asc' })],
  ]
}

/** The queries over HTTP with a login, one at a time on one connection. */
async function askingServer(url: string, now: number): Promise<Question[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const login = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: demoLogin.email, password: demoLogin.password }),
  })
  const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!
  const read = (path: string, accept = 'application/json') =>
    new Promise<string>((resolve, reject) => {
      httpGet(url + path, { agent, headers: { cookie, accept } }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`${path} answered ${response.statusCode}`)),
        )
      }).on('error', reject)
    })
  const list = async (query: string) =>
    JSON.parse(await read(`/users?pageSize=${PAGE_SIZE}&sort=totalEvents&order=desc${query}`)) as UsersList

  const today = dayOf(zone, now)
  const first = await list('')
  const userId = encodeURIComponent(first.users[0]!.userId)
  const { previousCursor } = await list(`&page=${first.totalPages}`)
  const journey = `/users/${userId}/journey?limit=100`
  return [
    [questions.month, () => read(`/stats?from=${addDays(today, -29)}&to=${today}&compare=previous`)],
    [questions.all, () => read('/stats')],
    [questions.page, () => read('/dashboard', 'text/html')],
    [questions.first, () => list('')],
    [questions.deepest, () => list(`&page=${first.totalPages}`)],
    [questions.keyset, () => list(`&cursor=${encodeURIComponent(previousCursor!)}`)],
    [questions.prefix, () => list(`&search=${userId.slice(0, 7)}`)],
    [questions.newest, () => read(journey)],
    [questions.oldest, () => read(`${journey}&order=asc`)],
  ]
}

/** Latency of a query over `runs` runs, after a tenth as many warm-up runs. */
export async function latency(ask: () => Promise<unknown>, runs: number): Promise<Latency> {
  for (let i = 0; i < runs / 10; i++) await ask()
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const started = performance.now()
    await ask()
    times.push(performance.now() - started)
  }
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) }
}

function print(rows: readonly Row[], sizes: readonly Size[]): void {
  const [small, large] = sizes.map((size) => rows.filter((row) => row.events === size.events)) as [Row[], Row[]]
  const compact = new Intl.NumberFormat('en', { notation: 'compact' })
  const names = sizes.map((size) => compact.format(size.events))
  const pair = ({ p50, p95 }: Latency) => `${p50.toFixed(1)} / ${p95.toFixed(1)}`
  console.log('\nMilliseconds, p50 / p95\n')
  printTable(
    ['question', `HTTP at ${names[0]}`, `at ${names[1]}`, 'ratio', `store at ${names[0]}`, `at ${names[1]}`],
    small.map((row, i) => {
      const other = large[i]!
      return [
        row.question,
        pair(row.http),
        pair(other.http),
        (other.http.p50 / row.http.p50).toFixed(2),
        row.store ? pair(row.store) : '',
        other.store ? pair(other.store) : '',
      ]
    }),
  )
}
