import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const killer = fileURLToPath(new URL('./ends-its-thread.mjs', import.meta.url))
const poison = 'ends-the-thread-that-stores-it-0000'.padEnd(36, '0')
let server: TestServer
let cookie: string

beforeAll(async () => {
  server = await startServer({
    args: ['--no-demo'],
    env: { NODE_OPTIONS: `--max-old-space-size=256 --import ${killer}` },
  })
  cookie = await signUpOwner(server.url)
})

const view = (eventId: string) => ({ eventId, userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } })

async function post(body: unknown, gzipped = false): Promise<void> {
  const json = JSON.stringify(body)
  const response = await fetch(`${server.url}/events`, { method: 'POST', body: gzipped ? gzipSync(json) : json })
  expect(response.status).toBe(202)
}

interface Health {
  status: string
  troubles: string[]
  bufferSize: number
  events: { stored: number; deadLettered: number; imbalance: number }
}

const health = async () => (await (await fetch(`${server.url}/health`)).json()) as Health

interface JourneyPage {
  events: { eventId: string; issues?: { message: string }[] }[]
  nextCursor: string | null
}

/** A user's events, some at a time: however slow the machine, no answer takes longer than an answer may. */
async function journey(userId: string): Promise<JourneyPage['events']> {
  const events: JourneyPage['events'] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const input = encodeURIComponent(JSON.stringify({ userId, limit: 10, cursor }))
    const response = await fetch(`${server.url}/trpc/journey.byUser?input=${input}`, { headers: { cookie } })
    expect(response.status).toBe(200)
    const { result } = (await response.json()) as { result: { data: JourneyPage } }
    events.push(...result.data.events)
    cursor = result.data.nextCursor
  }
  return events
}

describe('a server with a heap of 256 MB', () => {
  it('stores small posts whose payloads have tens of thousands of things wrong, with ten of them each', async () => {
    const items = Array.from({ length: 10_800 }, () => ({}))
    const purchase = (n: number) => ({
      ...view(`wrong-${n}`),
      userId: 'wrong',
      type: 'purchase',
      payload: { orderId: `o${n}`, revenue: 1, currency: 'EUR', items },
    })
    // As many in a request as its values allow (INGEST_MAX_VALUES).
    for (let n = 0; n < 120; n += 20) await post({ batch: Array.from({ length: 20 }, (_, i) => purchase(n + i)) }, true)
    await post(view('behind'))
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok', bufferSize: 0 }))
    const events = await journey('wrong')
    expect(events).toHaveLength(120)
    expect(events[0]?.issues).toHaveLength(11)
    expect(events[0]?.issues?.at(-1)?.message).toBe('and 43190 more')
    expect((await journey('u')).map(({ eventId }) => eventId)).toEqual(['behind'])
    expect(server.output()).not.toContain('the thread of the store ended')
  })

  it('stores all but the event that ends the thread of the store, which becomes a dead letter', async () => {
    await Promise.all([
      post(Array.from({ length: 40 }, (_, n) => view(n === 17 ? poison : `beside-${n}`))),
      ...Array.from({ length: 40 }, (_, n) => post(view(`around-${n}`))),
    ])
    await post(view('after'))
    // The thread ends some twenty times, and takes seconds for each on a busy machine.
    await eventually(async () => expect((await health()).bufferSize).toBe(0), 250_000)
    const { events } = await health()
    expect(events).toMatchObject({ deadLettered: 1, imbalance: 0 })
    const ids = new Set((await journey('u')).map(({ eventId }) => eventId))
    expect(ids.size).toBe(81)
    expect(ids).not.toContain(poison)
    expect(server.output()).toContain('the thread of the store ended')
    const input = encodeURIComponent('{}')
    const letters = await fetch(`${server.url}/trpc/system.deadLetters?input=${input}`, { headers: { cookie } })
    const { result } = (await letters.json()) as { result: { data: { eventId: string; reason: string }[] } }
    expect(result.data).toEqual([
      expect.objectContaining({ eventId: poison, reason: expect.stringContaining('ends the thread') }),
    ])
    // And none of it depends on the process that met it.
    await server.restart()
    await post(view('next'))
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok', bufferSize: 0 }))
    expect((await journey('u')).length).toBe(82)
  })
})
