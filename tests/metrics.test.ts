import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken } from '../server/accounts/tokens.ts'
import { addMonths, monthOf } from '../server/analysis/months.ts'
import { hashKey } from '../server/ingest/keys.ts'
import { DAY_MS, sampleBatch, sampleEvent } from '../server/store/sample-events.ts'
import { Database } from '../server/store/sqlite/database.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import type { JobNote, Store } from '../server/store/store.ts'
import { type MetricName, metrics, prometheusLabel, prometheusName } from '../server/telemetry/metrics/names.ts'
import { holdWriting } from './hold-writing.ts'
import { startMongo } from './mongo/mongo-server.ts'
import { mongo } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { type Labels, metricsEnv, type Shown, shownBy } from './prometheus.ts'
import { startServer, type TestServer, temporaryFolder } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const YEAR_MS = 365 * 86_400_000
const secretUser = 'lena@nordlicht.example'
/** Every name that some test here has seen move; the last test holds it against the list. */
const seen = new Set<MetricName>()

let server: TestServer
let cookie: string
let before: Shown
let now: Shown

/** How much a counter or gauge changed since the test began. */
function moved(name: MetricName, attributes: Labels = {}): number {
  seen.add(name)
  return now.value(name, attributes) - before.value(name, attributes)
}

function movedHistogram(name: MetricName, attributes: Labels = {}): { count: number; sum: number } {
  seen.add(name)
  const [to, from] = [now.histogram(name, attributes), before.histogram(name, attributes)]
  return { count: to.count - from.count, sum: to.sum - from.sum }
}

function gauge(name: MetricName, attributes: Labels = {}): number {
  seen.add(name)
  return now.value(name, attributes)
}

/** Looks before and after; the metrics after are those of the moment in which `until` holds. */
async function watch(of: TestServer, action: () => Promise<unknown>, until: () => void = () => {}): Promise<void> {
  before = await shownBy(of)
  await action()
  await eventually(async () => {
    now = await shownBy(of)
    until()
  })
}

interface Posted {
  eventId?: string
  userId?: string
  sessionId?: string
  type: string
  payload?: object
  occurredAt?: string
}

async function post(url: string, events: Posted[] | string, headers: Record<string, string> = {}): Promise<Response> {
  const body =
    typeof events === 'string'
      ? events
      : JSON.stringify(events.map((event) => ({ userId: secretUser, sessionId: 's', ...event })))
  return fetch(`${url}/events`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
}

const views = (count: number, id: string): Posted[] =>
  Array.from({ length: count }, (_, index) => ({ eventId: `${id}-${index}`, type: 'page_view', payload: { url: '/' } }))

const get = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { headers: { cookie, ...headers }, redirect: 'manual' })

/** A store with a key, dropped months and jobs that ran, as a server would find it. */
async function prepareStore(dataDir: string, slowKey: string): Promise<void> {
  const store = await createSqliteStore({ path: join(dataDir, 'veritas.db'), readers: 1 })
  await store.saveSite({ id: 'default', name: 'Nordlicht Outdoor', timeZone: 'UTC', currency: 'EUR' })
  await store.keys.create({
    siteId: 'default',
    kind: 'sk',
    name: 'slow',
    eventsPerSecond: 1,
    origins: null,
    createdAt: 0,
    keyHash: hashKey(slowKey),
  })
  await store.dropMonthsBefore(monthOf(Date.now() - YEAR_MS))
  await ran(store, 'export:default', [{ kind: 'succeeded', at: 1_700_000_000_000, doneThrough: '2023-11-14' }])
  await ran(store, 'export:default', [
    { kind: 'failed', at: 1_700_000_100_000, error: 'x', retryAt: Number.MAX_SAFE_INTEGER },
  ])
  await ran(store, 'backup', [
    { kind: 'succeeded', at: 1_700_000_200_000, doneThrough: null },
    { kind: 'succeeded', at: 1_700_000_300_000, doneThrough: null },
    { kind: 'failed', at: 1_700_000_400_000, error: 'x', retryAt: 0 },
  ])
  await store.close()
}

async function ran(store: Store, name: string, notes: JobNote[]): Promise<void> {
  await store.jobs.claim({ name, owner: 'test', now: 0, until: 1 })
  for (const note of notes) await store.jobs.note({ name, owner: 'test', note })
  await store.jobs.release({ name, owner: 'test' })
}

const slowKey = createToken('sk_')

beforeAll(async () => {
  const dataDir = temporaryFolder()
  await prepareStore(dataDir, slowKey)
  server = await startServer({ dataDir, args: ['--no-demo'], env: { ...metricsEnv, INGEST_MAX_EVENTS: '20' } })
  cookie = await signUpOwner(server.url)
})

describe('events', () => {
  it('that are stored are counted by type, with their commit, batch and age', async () => {
    const events = [...views(2, 'a'), { eventId: 'a-search', type: 'search', payload: {} }]
    await watch(
      server,
      () => post(server.url, events),
      () => expect(moved('veritas.ingest.events', { outcome: 'stored' })).toBe(3),
    )
    expect(moved('veritas.ingest.events.received')).toBe(3)
    expect(moved('veritas.ingest.events', { outcome: 'stored', event_type: 'page_view' })).toBe(2)
    expect(moved('veritas.ingest.events', { outcome: 'stored', event_type: 'search' })).toBe(1)
    expect(moved('veritas.ingest.events.warned')).toBe(1)
    expect(moved('veritas.ingest.events.warned', { event_type: 'search' })).toBe(1)
    expect(movedHistogram('veritas.ingest.commit.size')).toEqual({ count: 1, sum: 3 })
    const commit = movedHistogram('veritas.ingest.commit.duration')
    expect(commit.count).toBe(1)
    expect(commit.sum).toBeGreaterThan(0)
    expect(commit.sum).toBeLessThan(60)
    expect(movedHistogram('veritas.ingest.flush.batch_size')).toEqual({ count: 1, sum: 3 })
    expect(movedHistogram('veritas.ingest.flush.duration').count).toBe(1)
    const age = movedHistogram('veritas.ingest.event.age')
    expect(age.count).toBe(3)
    // A batch is due after 200 ms.
    expect(age.sum / 3).toBeGreaterThan(0.1)
    expect(age.sum / 3).toBeLessThan(100)
    expect(movedHistogram('db.client.operation.duration', { 'db.operation.name': 'insertFrames' }).count).toBe(1)
  })

  it('that came before are duplicates', async () => {
    await watch(
      server,
      () => post(server.url, views(2, 'a')),
      () => expect(moved('veritas.ingest.events')).toBe(2),
    )
    expect(moved('veritas.ingest.events', { outcome: 'duplicate', event_type: 'page_view' })).toBe(2)
  })

  it('that are refused one by one are counted by type, those of no type of ours as other', async () => {
    await watch(
      server,
      async () => {
        const bad = [{ type: 'page_view', sessionId: '' }, { type: 'no_such_type' }, { type: 'constructor' }]
        expect((await post(server.url, [...bad, ...views(1, 'b')])).status).toBe(202)
        expect((await post(server.url, bad)).status).toBe(400)
      },
      () => expect(moved('veritas.ingest.events', { outcome: 'stored' })).toBe(1),
    )
    expect(moved('veritas.ingest.events.received')).toBe(7)
    expect(moved('veritas.ingest.events', { outcome: 'rejected', event_type: 'page_view' })).toBe(2)
    expect(moved('veritas.ingest.events', { outcome: 'rejected', event_type: 'other' })).toBe(4)
    expect(movedHistogram('http.server.request.duration', { 'http.response.status_code': '400' }).count).toBe(1)
  })

  it('that are others than those that have their ids are duplicates, and counted as conflicting', async () => {
    await watch(
      server,
      () =>
        post(server.url, [
          { eventId: 'a-0', type: 'page_view', payload: { url: '/other' } },
          ...views(2, 'a').slice(1),
        ]),
      () => expect(moved('veritas.ingest.events', { outcome: 'duplicate' })).toBe(2),
    )
    expect(moved('veritas.ingest.events.conflicting')).toBe(1)
  })

  it('that the store will not keep are dead letters', async () => {
    const old = new Date(Date.now() - YEAR_MS / 2)
    // They wait in the log until their month is dropped: the door still took them.
    const held = await holdWriting(join(server.dataDir, 'veritas.db'))
    const send = async () => {
      const events = [{ eventId: 'old', type: 'purchase', occurredAt: old.toISOString() }, ...views(1, 'c')]
      expect((await post(server.url, events)).status).toBe(202)
      held.keepFrom(addMonths(monthOf(old.getTime()), 1))
      held.close()
    }
    await watch(server, send, () => expect(moved('veritas.ingest.events')).toBe(2))
    expect(moved('veritas.ingest.events', { outcome: 'dead_letter', event_type: 'purchase' })).toBe(1)
    expect(moved('veritas.ingest.dead_letters')).toBe(1)
    expect(gauge('veritas.ingest.balance')).toBe(0)
  })

  it.each([
    ['unauthenticated', 401, () => post(server.url, views(1, 'd'), { 'x-write-key': createToken('pk_') })],
    ['too_large', 413, () => post(server.url, views(21, 'd'))],
    ['invalid_input', 400, () => post(server.url, '{"type":')],
    ['method_not_allowed', 405, () => fetch(`${server.url}/events`)],
  ] as const)('in a request refused as %s are counted as that', async (reason, status, send) => {
    await watch(
      server,
      async () => expect((await send()).status).toBe(status),
      () => expect(moved('veritas.http.requests')).toBe(1),
    )
    expect(moved('veritas.ingest.requests.rejected')).toBe(1)
    expect(moved('veritas.ingest.requests.rejected', { reason })).toBe(1)
    expect(moved('veritas.ingest.events.received')).toBe(0)
    const labels = { 'http.route': '/events', 'http.response.status_code': String(status) }
    expect(movedHistogram('http.server.request.duration', labels).count).toBe(1)
  })

  it('beyond the rate of a key are refused as rate_limited', async () => {
    const send = async () => {
      const statuses = []
      // So many that the second is refused for long, however slow the first was.
      for (const id of ['e', 'f'])
        statuses.push((await post(server.url, views(20, id), { 'x-write-key': slowKey })).status)
      expect(statuses).toEqual([202, 429])
    }
    await watch(server, send, () => expect(moved('veritas.http.requests')).toBe(2))
    expect(moved('veritas.ingest.requests.rejected', { reason: 'rate_limited' })).toBe(1)
    expect(movedHistogram('http.server.request.duration', { 'http.response.status_code': '429' }).count).toBe(1)
  })
})

describe('questions', () => {
  it('are measured by route template, never by path, and every request is counted', async () => {
    const ask = async () => {
      expect((await get(`${server.url}/stats`)).status).toBe(200)
      expect((await get(`${server.url}/users/${encodeURIComponent(secretUser)}/journey`)).status).toBe(200)
      expect((await get(`${server.url}/users/${secretUser}/journey`, { accept: 'text/html' })).status).toBe(200)
      expect((await get(`${server.url}/trpc/system.status`)).status).toBe(200)
      expect((await get(`${server.url}/no/such/${secretUser}`)).status).toBe(404)
    }
    await watch(server, ask, () => expect(moved('veritas.http.requests')).toBe(5))
    const route = (name: string, status: string) =>
      movedHistogram('http.server.request.duration', { 'http.route': name, 'http.response.status_code': status }).count
    expect(route('/stats', '200')).toBe(1)
    expect(route('/users/{userId}/journey', '200')).toBe(2)
    expect(route('/trpc/system.status', '200')).toBe(1)
    expect(route('other', '404')).toBe(1)
    expect(moved('veritas.http.failures')).toBe(0)
    const stored = { 'db.system.name': 'sqlite' }
    expect(movedHistogram('db.client.operation.duration', { ...stored, 'db.operation.name': 'totals' }).count).toBe(1)
    expect(
      movedHistogram('db.client.operation.duration', { ...stored, 'db.operation.name': 'journey' }).count,
    ).toBeGreaterThan(0)
    expect(now.text).not.toContain('lena')
  })

  it('the jobs of all processes are told', async () => {
    now = await shownBy(server)
    expect(gauge('veritas.export.runs', { outcome: 'succeeded' })).toBe(1)
    expect(gauge('veritas.export.runs', { outcome: 'failed' })).toBe(1)
    expect(gauge('veritas.export.last_success')).toBe(1_700_000_000)
    expect(gauge('veritas.backup.runs', { outcome: 'succeeded' })).toBe(2)
    expect(gauge('veritas.backup.runs', { outcome: 'failed' })).toBe(1)
    expect(gauge('veritas.backup.last_success')).toBe(1_700_000_300)
  })
})

describe('the process', () => {
  it('tells of itself, its loop and its heap', async () => {
    await watch(server, async () => {
      for (let i = 0; i < 20; i++) await get(`${server.url}/dashboard`, { accept: 'text/html' })
    })
    expect(moved('process.uptime')).toBeGreaterThan(0)
    const spent =
      moved('process.cpu.time', { 'cpu.mode': 'user' }) + moved('process.cpu.time', { 'cpu.mode': 'system' })
    expect(spent).toBeGreaterThan(0)
    expect(spent).toBeLessThan(moved('process.uptime') * 16)
    expect(gauge('process.memory.usage')).toBeGreaterThan(30e6)
    expect(gauge('process.memory.usage')).toBeLessThan(2e9)
    if (process.platform === 'linux') {
      expect(gauge('process.open_file_descriptor.count')).toBeGreaterThan(10)
      expect(gauge('process.open_file_descriptor.count')).toBeLessThan(1000)
    } else seen.add('process.open_file_descriptor.count')
    const [mean, p99, max] = (['mean', 'p99', 'max'] as const).map((which) => gauge(`nodejs.eventloop.delay.${which}`))
    expect(mean).toBeGreaterThanOrEqual(0)
    expect(p99).toBeLessThanOrEqual(max! + 1e-9)
    expect(mean).toBeLessThanOrEqual(max!)
    expect(max).toBeLessThan(100)
    expect(gauge('nodejs.eventloop.utilization')).toBeGreaterThan(0)
    expect(gauge('nodejs.eventloop.utilization')).toBeLessThanOrEqual(1)
    const old = { 'v8js.heap.space.name': 'old_space' }
    expect(gauge('v8js.memory.heap.used', old)).toBeGreaterThan(1e6)
    expect(gauge('v8js.memory.heap.limit', old)).toBeGreaterThanOrEqual(gauge('v8js.memory.heap.used', old))
    expect(movedHistogram('v8js.gc.duration', { 'v8js.gc.type': 'minor' }).count).toBeGreaterThan(0)
  })

  it('every line of the metrics is of the list, with its kind, text and attributes', async () => {
    const { families, text } = await shownBy(server)
    const told = (keyword: string) =>
      new Map([...text.matchAll(new RegExp(`^# ${keyword} (\\S+) (.*)$`, 'gm'))].map(([, name, rest]) => [name, rest]))
    const [types, texts] = [told('TYPE'), told('HELP')]
    const names = (Object.keys(metrics) as MetricName[]).map(prometheusName)
    expect([...types.keys()].sort()).toEqual(['target_info', ...names].sort())
    for (const [name, spec] of Object.entries(metrics)) {
      const shown = prometheusName(name as MetricName)
      expect(types.get(shown)).toBe(spec.kind)
      expect(texts.get(shown)).toBe(spec.text)
      const allowed = spec.kind === 'histogram' ? [...spec.attributes, 'le'] : spec.attributes
      const labels = families
        .filter((family) => family.name.replace(/_(bucket|sum|count)$/, '') === shown || family.name === shown)
        .flatMap((family) => family.metrics.flatMap((series) => Object.keys(series.labels ?? {})))
      for (const label of labels) expect(allowed.map(prometheusLabel), name).toContain(label)
    }
  })

  it('answers nothing else on that port', async () => {
    const url = /http:\/\/127\.0\.0\.1:\d+(?=\/metrics)/.exec(server.output())![0]
    expect((await fetch(`${url}/`)).status).toBe(404)
    expect((await fetch(`${url}/metrics?x=1`)).status).toBe(200)
  })
})

describe('while the store cannot be written', () => {
  it('events wait in the log, and a killed server’s successor finds them; damaged ones are lost', async () => {
    const store = join(server.dataDir, 'veritas.db')
    const held = await holdWriting(store)
    await watch(
      server,
      () => post(server.url, views(5, 'w')),
      () => expect(gauge('veritas.ingest.flush.active')).toBe(1),
    )
    expect(gauge('veritas.ingest.waiting')).toBe(5)
    expect(gauge('veritas.ingest.wal.bytes')).toBeGreaterThan(300)
    expect(gauge('veritas.ingest.wal.bytes')).toBeLessThan(5000)
    expect(gauge('veritas.ingest.wal.limit')).toBe(2 * 1024 ** 3)
    expect(gauge('veritas.ingest.oldest.age')).toBeGreaterThan(0.1)
    expect(gauge('veritas.ingest.oldest.age')).toBeLessThan(300)
    expect(gauge('veritas.ingest.balance')).toBe(0)
    await server.stop('SIGKILL')
    held.close()

    await server.restart()
    await eventually(async () => {
      now = await shownBy(server)
      expect(gauge('veritas.ingest.events', { outcome: 'stored' })).toBe(5)
    })
    expect(gauge('veritas.ingest.events.recovered')).toBe(5)
    expect(gauge('veritas.ingest.events.lost')).toBe(0)
    expect(gauge('veritas.ingest.waiting')).toBe(0)
    expect(gauge('veritas.ingest.oldest.age')).toBe(0)

    const again = await holdWriting(store)
    await post(server.url, views(3, 'x'))
    // Once it is on its way to the store the log knows of it even where its frame cannot be read any more.
    await eventually(async () => expect((await shownBy(server)).value('veritas.ingest.flush.active')).toBe(1))
    expect((await shownBy(server)).value('veritas.ingest.waiting')).toBe(3)
    await server.stop('SIGKILL')
    again.close()
    damageLog(server.dataDir)
    await server.restart()
    await eventually(async () => {
      now = await shownBy(server)
      expect(gauge('veritas.ingest.events.lost')).toBe(3)
    })
    expect(gauge('veritas.ingest.waiting')).toBe(0)
    expect(gauge('veritas.ingest.balance')).toBe(0)
  })

  it('a buffer in memory fills, and at its limit posts are refused', async () => {
    const env = { ...metricsEnv, INGEST_ACK: 'memory', INGEST_MAX_EVENTS: '10', INGEST_BUFFER_EVENTS: '10' }
    const memory = await startServer({ args: ['--no-demo'], env })
    const held = await holdWriting(join(memory.dataDir, 'veritas.db'))
    await watch(memory, async () => expect((await post(memory.url, views(7, 'm'))).status).toBe(202))
    expect(moved('veritas.ingest.buffer.size')).toBe(7)
    expect(gauge('veritas.ingest.buffer.limit')).toBe(10)
    expect(gauge('veritas.ingest.accepting')).toBe(1)
    await watch(memory, async () => {
      expect((await post(memory.url, views(4, 'n'))).status).toBe(429)
      expect((await post(memory.url, views(3, 'n'))).status).toBe(202)
    })
    expect(moved('veritas.ingest.requests.rejected', { reason: 'rate_limited' })).toBe(1)
    expect(gauge('veritas.ingest.buffer.size')).toBe(10)
    expect(gauge('veritas.ingest.accepting')).toBe(0)
    held.close()
    await eventually(async () => expect((await shownBy(memory)).value('veritas.ingest.buffer.size')).toBe(0))
    await memory.stop()
  })

  it.each([
    // Events of a day that are not those of its hours are seen at the start, the rest in the night.
    ['start', 'UPDATE days SET events = 7'],
    ['nightly audit', 'UPDATE days SET users = 7'],
  ])('figures that the %s found to be wrong are counted', async (_, damage) => {
    const dataDir = temporaryFolder()
    const path = join(dataDir, 'veritas.db')
    const store = await createSqliteStore({ path, readers: 1 })
    await store.saveSite({ id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' })
    await store.insertBatch(sampleBatch(sampleEvent({ siteId: 'default', occurredAt: Date.now() - 3 * DAY_MS })))
    // The audit has not been for long: it is due at once.
    await ran(store, 'audit:default', [{ kind: 'succeeded', at: 1_700_000_000_000, doneThrough: '2023-11-14' }])
    await store.close()
    const db = await Database.open(path)
    db.exec(damage)
    db.close()
    const audited = await startServer({ dataDir, args: ['--no-demo'], env: metricsEnv })
    await eventually(async () => {
      now = await shownBy(audited)
      expect(gauge('veritas.audit.mismatches')).toBe(1)
    })
    await audited.stop()
  })

  it('failed tries and an absent store are told, and questions that it cannot answer', async () => {
    const env = { ...metricsEnv, STORE_URL: 'mongodb://127.0.0.1:1/nowhere' }
    const alone = await startServer({ args: ['--no-demo'], env })
    await watch(
      alone,
      async () => {
        expect((await post(alone.url, views(2, 'o'))).status).toBe(202)
        expect((await get(`${alone.url}/stats`)).status).toBeGreaterThanOrEqual(500)
      },
      () => expect(moved('veritas.ingest.flush.failures')).toBeGreaterThanOrEqual(1),
    )
    expect(moved('veritas.http.failures')).toBe(1)
    expect(gauge('veritas.store.up')).toBe(0)
    expect(gauge('veritas.ingest.waiting')).toBe(2)
    await alone.stop('SIGKILL')
    // A store that takes longer than a second to answer is told as down.
    await eventually(async () => {
      now = await shownBy(server)
      expect(gauge('veritas.store.up')).toBe(1)
    })
  })
})

describeWith(mongo, 'MongoDB', () => {
  it('tells of its commands by collection', async () => {
    const { newDatabase } = await startMongo()
    const shop = await startServer({ args: ['--no-demo'], env: { ...metricsEnv, STORE_URL: newDatabase() } })
    await watch(
      shop,
      () => post(shop.url, views(2, 'p')),
      () => expect(moved('veritas.ingest.events', { outcome: 'stored' })).toBe(2),
    )
    const asked = { 'db.system.name': 'mongodb', 'db.operation.name': 'find', 'db.collection.name': 'sites' }
    expect(now.histogram('db.client.operation.duration', asked).count).toBeGreaterThan(0)
    await shop.stop()
  })
})

describe('OTLP', () => {
  const bodies: { path: string; body: string }[] = []
  const collector = createServer((req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part: Buffer) => parts.push(part))
    req.on('end', () => {
      bodies.push({ path: req.url ?? '', body: Buffer.concat(parts).toString() })
      res.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  afterAll(() => collector.close())

  it('sends the essential metrics, and traces of loaders, procedures and the store, but none of events', async () => {
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const OTLP_URL = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const env = {
      METRICS_EXPORTER: 'otlp',
      METRICS_SET: 'essential',
      METRICS_INTERVAL_MS: '1000',
      // Else it has no last export to tell of.
      EXPORT_URL: `file:${temporaryFolder()}`,
      OTLP_URL,
      TRACE_SHARE: '1',
    }
    const sending = await startServer({ args: ['--no-demo'], env })
    const owner = await signUpOwner(sending.url)
    await post(sending.url, views(3, 'q'))
    expect((await fetch(`${sending.url}/users`, { headers: { cookie: owner, accept: 'text/html' } })).status).toBe(200)
    // The last to come: of an export that is done.
    await eventually(async () => expect(bodies.some(({ body }) => body.includes('export.last_success'))).toBe(true))
    await eventually(async () => expect(bodies.some(({ body }) => body.includes('"GET /users"'))).toBe(true))
    expect(await sending.stop()).toBe(0)

    const all = bodies.filter(({ path }) => path === '/v1/metrics').map(({ body }) => metricsOf(body))
    const sent = new Map(all.flatMap((metrics) => [...metrics]))
    const essential = Object.entries(metrics).filter(([, spec]) => 'essential' in spec && spec.essential)
    // Those with an attribute appear with its first value.
    expect([...sent.keys(), 'veritas.ingest.requests.rejected'].sort()).toEqual(essential.map(([name]) => name).sort())
    // By how much they grew since the time before, of one process as of all: nothing tells the series apart.
    const grown = all.flatMap((metrics) => metrics.get('veritas.ingest.events') ?? []) as { value: number }[]
    expect(grown.map((point) => ({ ...point, value: 0 }))).toContainEqual({ outcome: 'stored', value: 0 })
    expect(grown.reduce((sum, { value }) => sum + value, 0)).toBe(3)
    for (const { path, body } of bodies)
      if (path === '/v1/metrics') expect(JSON.parse(body).resourceMetrics[0].resource.attributes).toEqual([])

    const spans = bodies.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => spansOf(body))
    const page = spans.find(({ name }) => name === 'GET /users')!
    expect(page.attributes).toMatchObject({ 'http.route': '/users', 'http.response.status_code': 200 })
    const within = spans.filter(({ traceId }) => traceId === page.traceId).map(({ name }) => name)
    expect(within).toContain('query users.list')
    expect(within).toContain('store listUsers')
    expect(within.some((name) => name.startsWith('loader routes/'))).toBe(true)
    expect(spans.filter(({ name }) => /events|insert/.test(name))).toEqual([])
    expect(JSON.stringify(spans)).not.toContain('lena')
  })

  it('a collector that is away is a warning, and nothing else', async () => {
    const env = {
      METRICS_EXPORTER: 'otlp',
      METRICS_INTERVAL_MS: '1000',
      OTLP_URL: 'http://127.0.0.1:1',
      TRACE_SHARE: '1',
    }
    const sending = await startServer({ args: ['--no-demo'], env })
    expect((await post(sending.url, views(1, 'r'))).status).toBe(202)
    expect(await sending.stop()).toBe(0)
    expect(sending.output()).toContain('telemetry could not be sent')
  })
})

it('each metric of the list was seen to move', () => {
  expect([...seen].sort()).toEqual(Object.keys(metrics).sort())
})

/** Spoils the payload of every frame that waits: its header still says how many events are lost. */
function damageLog(dataDir: string): void {
  const wal = join(dataDir, 'wal')
  for (const slot of readdirSync(wal).filter((name) => /^\d+$/.test(name)))
    for (const name of readdirSync(join(wal, slot)).filter((file) => file.endsWith('.seg'))) {
      const path = join(wal, slot, name)
      const bytes = readFileSync(path)
      for (let at = bytes.indexOf('"x-0"'); at !== -1; at = bytes.indexOf('"x-0"', at + 1)) bytes[at + 1] = 0x79
      writeFileSync(path, bytes)
    }
}

type Attribute = { key: string; value: { stringValue?: string; intValue?: number } }
const plain = (attributes: Attribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]))

function metricsOf(body: string): Map<string, object[]> {
  type Point = { attributes?: Attribute[]; asDouble?: number; asInt?: number }
  type Metric = { name: string; sum?: { dataPoints: Point[] }; gauge?: { dataPoints: Point[] } }
  const { resourceMetrics } = JSON.parse(body) as { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] }
  const sent = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  return new Map(
    sent.map(({ name, sum, gauge: level }) => [
      name,
      (sum ?? level)!.dataPoints.map((point) => ({
        ...plain(point.attributes),
        value: point.asDouble ?? Number(point.asInt),
      })),
    ]),
  )
}

function spansOf(body: string) {
  type Span = { name: string; traceId: string; attributes: Attribute[] }
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, attributes }) => ({ name, traceId, attributes: plain(attributes) })),
    ),
  )
}
