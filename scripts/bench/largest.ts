import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { eventLimits } from '../../trpc/schema/event.ts'
import { readOutput } from '../launch.ts'
import { type BenchServer, balance, startBenchServer } from './bench-server.ts'

const MAX_EVENTS = 2500
const MAX_BYTES = 4 * 1024 * 1024

/** The longest event loop stalls caused by a request; the best of the repeats. */
export interface Stall {
  request: string
  bytes: number
  events: number
  /** Wall-clock time; other programs on the machine lengthen it. */
  wallMs: number
  /** CPU time within one stall. */
  cpuMs: number
  /** Slowest answer to GET /health/live during the request. */
  pingMs: number
}

interface Case {
  name: string
  events: object[]
  gzip?: boolean
  status?: number
}

/** Sends each kind of largest request alone and measures how long the event loop stalls until it is stored. */
export async function measureLargest(repeats: number): Promise<Stall[]> {
  const probe = fileURLToPath(new URL('loop-probe.mjs', import.meta.url))
  const server = await startBenchServer({ env: { NODE_OPTIONS: `--import=${probe}` } })
  try {
    const readStall = stallReader(server)
    const stalls = new Map<string, Stall>()
    let accepted = 0
    // The first run of each is a warm-up: code that runs only once after a start is not typical.
    for (let repeat = -1; repeat < repeats; repeat++)
      for (const one of cases(repeat)) {
        const body = bodyOf(one)
        await readStall()
        const { status, pingMs } = await pinging(server, () => post(server.url, body))
        if (status !== (one.status ?? 202)) throw new Error(`${one.name}: answered ${status}.`)
        if (status === 202) accepted += one.events.length
        const now = await readStall()
        if (repeat < 0) continue
        const before = stalls.get(one.name) ?? { wallMs: now.wallMs, cpuMs: now.cpuMs, pingMs }
        stalls.set(one.name, {
          request: one.name,
          bytes: body.length,
          events: one.events.length,
          wallMs: Math.min(before.wallMs, now.wallMs),
          cpuMs: Math.min(before.cpuMs, now.cpuMs),
          pingMs: Math.min(before.pingMs, pingMs),
        })
      }
    await balance(server, accepted)
    return [...stalls.values()]
  } finally {
    await server.close()
  }
}

/** Returns a function that asks the probe in the server for the longest stall since the last call. */
function stallReader(server: BenchServer): () => Promise<{ wallMs: number; cpuMs: number }> {
  let told: ((stall: { wallMs: number; cpuMs: number }) => void) | null = null
  readOutput(server.child, (text) => {
    const [, wall, cpu] = /loop-probe (\S+) (\S+)/.exec(text) ?? []
    if (wall !== undefined) told?.({ wallMs: Number(wall), cpuMs: Number(cpu) })
  })
  return () =>
    new Promise((resolve) => {
      told = resolve
      process.kill(server.pid, 'SIGUSR2')
    })
}

/** Posts and meanwhile polls /health/live until everything is stored. pingMs is the slowest answer. */
async function pinging(server: BenchServer, send: () => Promise<number>): Promise<{ status: number; pingMs: number }> {
  let pingMs = 0
  let stopped = false
  async function ping() {
    while (!stopped) {
      const started = performance.now()
      await (await fetch(`${server.url}/health/live`)).text()
      pingMs = Math.max(pingMs, performance.now() - started)
      await sleep(2)
    }
  }
  async function work() {
    try {
      const status = await send()
      await server.drained()
      return status
    } finally {
      stopped = true
    }
  }
  const [status] = await Promise.all([work(), ping()])
  return { status, pingMs }
}

async function post(url: string, body: Uint8Array<ArrayBuffer>): Promise<number> {
  const response = await fetch(`${url}/events`, { method: 'POST', body })
  await response.text()
  return response.status
}

function bodyOf({ events, gzip, name }: Case): Uint8Array<ArrayBuffer> {
  const body = Buffer.from(JSON.stringify(events))
  if (body.length > MAX_BYTES) throw new Error(`${name}: ${body.length} bytes are more than a request may have.`)
  return new Uint8Array(gzip ? gzipSync(body) : body)
}

function cases(repeat: number): Case[] {
  const many = (name: string, event: (i: number) => object, count = MAX_EVENTS): Case => ({
    name,
    events: Array.from({ length: count }, (_, i) => ({
      eventId: `${name}-${repeat}-${i}`,
      userId: `user_${i}`,
      sessionId: `s_${i}`,
      type: 'page_view',
      ...event(i),
    })),
  })
  const filled = Math.floor(MAX_BYTES / MAX_EVENTS)
  // Leaves room for the event's other fields.
  const text = (bytes: number) => 'Fjell "2" tent, grün '.repeat(bytes).slice(0, Math.floor(bytes * 0.85) - 300)
  const full = (name: string) => many(name, () => ({ payload: { url: '/p/1', title: text(filled) } }))
  const largeEvents = Math.floor(MAX_BYTES / eventLimits.eventBytes) - 1
  return [
    many('2,500 small events', (i) => ({ payload: { url: `/p/${i}` } })),
    full('2,500 events, 4 MB'),
    { ...full('the same as gzip'), gzip: true },
    many('events of 32 KB', () => ({ payload: { url: '/p/1', title: text(eventLimits.eventBytes) } }), largeEvents),
    many('nested as deep as allowed', () => ({ payload: nested(eventLimits.nesting - 1) })),
    many('60 fields an event', () => ({ payload: fields(60) })),
    many(
      'orders of 350 items',
      (i) => ({
        type: 'purchase',
        payload: {
          orderId: `o-${repeat}-${i}`,
          revenue: 350,
          currency: 'EUR',
          items: Array.from({ length: 350 }, (_, n) => ({
            productId: `p-${n}`,
            name: 'Fjell 2 tent',
            quantity: 1,
            price: 1,
          })),
        },
      }),
      largeEvents,
    ),
    many('kept with a remark each', () => ({
      type: 'purchase',
      payload: { orderId: 7, items: [{ price: -1 }, {}, 'x'] },
    })),
    many('without ids', () => ({ eventId: undefined, payload: { url: '/p/1' } })),
    { ...many('refused, all of them', () => ({ type: 'no_such_type' })), status: 400 },
  ]
}

function nested(depth: number): object {
  let inner: object = { end: true }
  for (let level = 2; level < depth; level++) inner = level % 2 ? { in: inner, level, name: 'Fjell 2 tent' } : [inner]
  return { url: '/p/1', inner }
}

function fields(count: number): object {
  return Object.fromEntries([['url', '/p/1'], ...Array.from({ length: count }, (_, i) => [`field_${i}`, i * 7.5])])
}
