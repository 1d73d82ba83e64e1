import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Verdict } from '../trpc/schema/event.ts'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

let server: TestServer
let cookie: string

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'] })
  cookie = await signUpOwner(server.url)
})
afterAll(() => server.stop())

const event = (over: object = {}) => ({
  userId: 'u1',
  sessionId: 's1',
  type: 'page_view',
  payload: { url: '/' },
  ...over,
})

interface IngestBody {
  eventIds: string[]
  results: Record<string, Verdict>
}

async function post(body: unknown, headers: Record<string, string> = { 'content-type': 'application/json' }) {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const response = await fetch(`${server.url}/events`, { method: 'POST', body: raw as BodyInit, headers })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as IngestBody }
}

async function totalEvents(): Promise<number> {
  const response = await fetch(`${server.url}/stats`, { headers: { cookie } })
  return ((await response.json()) as { totalEvents: number }).totalEvents
}

/** The total once everything posted earlier is counted. */
async function settledEvents(): Promise<number> {
  await eventually(async () => {
    const health = (await (await fetch(`${server.url}/health`)).json()) as { bufferSize: number }
    expect(health.bufferSize).toBe(0)
  })
  return totalEvents()
}

describe('POST /events', () => {
  it.each([
    ['one object', event(), 1],
    ['a bare array', [event(), event()], 2],
    ['a batch', { batch: [event(), event(), event()], sentAt: '2026-11-23T00:00:00Z' }, 3],
  ])('takes %s and shows it', async (_name, body, count) => {
    const before = await settledEvents()
    const answer = await post(body)
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({
      message: 'Events accepted for processing',
      count,
      received: count,
      accepted: count,
      rejected: 0,
    })
    expect(new Set(answer.body.eventIds).size).toBe(count)
    await eventually(async () => expect(await totalEvents()).toBe(before + count))
  })

  it('counts a retried event once, whatever else has changed in it', async () => {
    const before = await settledEvents()
    const eventId = crypto.randomUUID()
    await post(event({ eventId, occurredAt: '2026-10-31T23:59:59.999Z' }))
    await post(event({ eventId, occurredAt: '2026-11-01T00:00:00Z' }))
    await Promise.all([post([event({ eventId }), event({ eventId })]), post(event({ eventId }))])
    await post(event({ eventId: crypto.randomUUID() }))
    await eventually(async () => expect(await totalEvents()).toBe(before + 2))
    const health = (await (await fetch(`${server.url}/health`)).json()) as { events: Record<string, number> }
    expect(health.events).toMatchObject({ waiting: 0, imbalance: 0 })
    expect(health.events.duplicate).toBeGreaterThanOrEqual(4)
  })

  it('makes a retry without event ids safe with an Idempotency-Key', async () => {
    const before = await settledEvents()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await post([event(), event()], headers)
    const second = await post([event(), event()], headers)
    expect(second.body.eventIds).toEqual(first.body.eventIds)
    await post(event(), { 'idempotency-key': crypto.randomUUID() })
    await eventually(async () => expect(await totalEvents()).toBe(before + 3))
  })

  it('refuses an Idempotency-Key that comes again with other events, instead of losing them as a retry', async () => {
    const before = await settledEvents()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    expect((await post([event(), event()], headers)).status).toBe(202)
    for (const other of [[event(), event({ userId: 'u2' })], event(), [event(), event(), event()]]) {
      const answer = await post(other, headers)
      expect(answer.status).toBe(400)
      expect(answer.body).toMatchObject({ field: 'Idempotency-Key', message: expect.stringContaining('other events') })
    }
    // A retry is known by its events, however they are written and whatever is beside them.
    const retry = JSON.stringify({ batch: [event(), event()], sentAt: '2026-11-23T00:00:00Z' }, null, 2)
    expect((await post(retry, headers)).status).toBe(202)
    // Events with ids of their own need no key.
    expect((await post(event({ eventId: crypto.randomUUID() }), headers)).status).toBe(202)
    await eventually(async () => expect(await totalEvents()).toBe(before + 3))
  })

  it.each(['', '  '])('takes the event id %j for none', async (eventId) => {
    const before = await settledEvents()
    const answer = await post([event({ eventId }), event({ eventId }), event({ eventId, userId: '' })])
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 1 })
    expect(new Set(answer.body.eventIds).size).toBe(2)
    expect(answer.body.results).toMatchObject({ '#2': { result: 'drop', path: 'userId' } })
    await eventually(async () => expect(await totalEvents()).toBe(before + 2))
  })

  it('keeps two equal events without ids as two events', async () => {
    const before = await settledEvents()
    await post(event())
    await post(event())
    await eventually(async () => expect(await totalEvents()).toBe(before + 2))
  })

  it('takes the good ones of a request and says which is bad and why', async () => {
    const before = await settledEvents()
    const answer = await post([
      event({ eventId: 'good-1' }),
      event({ eventId: 'bad-1', userId: '' }),
      event({ eventId: 'good-2' }),
    ])
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({
      count: 2,
      eventIds: ['good-1', 'good-2'],
      received: 3,
      accepted: 2,
      rejected: 1,
    })
    expect(answer.body.results['good-1']).toEqual({ result: 'ok' })
    expect(answer.body.results['bad-1']).toMatchObject({ result: 'drop', path: 'userId' })
    await eventually(async () => expect(await totalEvents()).toBe(before + 2))
  })

  it('keeps an event whose payload breaks the catalogue, with a warning', async () => {
    const answer = await post(event({ type: 'purchase', payload: { orderId: 'o1', revenue: 'ten' } }))
    expect(answer.status).toBe(202)
    const [verdict] = Object.values(answer.body.results)
    expect(verdict).toMatchObject({ result: 'warning', code: 'invalid_payload', path: 'payload.revenue' })
  })

  it('lists only what is not ok above 100 events', async () => {
    const answer = await post([...Array.from({ length: 100 }, () => event()), event({ type: 'nonsense' })])
    expect(answer.body).toMatchObject({ received: 101, accepted: 100, rejected: 1 })
    expect(answer.body.results).toEqual({ '#100': expect.objectContaining({ code: 'unknown_type', path: 'type' }) })
  })

  it('takes what sendBeacon sends: text/plain, with credentials, from another origin', async () => {
    const answer = await post(JSON.stringify(event()), {
      'content-type': 'text/plain;charset=UTF-8',
      origin: 'https://shop.example',
    })
    expect(answer.status).toBe(202)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://shop.example')
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
  })

  it('answers the browser’s question before a cross-origin post', async () => {
    const response = await fetch(`${server.url}/events`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://shop.example')
    expect(response.headers.get('access-control-allow-headers')).toBe('content-type')
    expect(response.headers.get('access-control-max-age')).toBe('86400')
  })

  it('inflates gzip known by its first bytes, whatever the headers say', async () => {
    const answer = await post(gzipSync(JSON.stringify([event(), event()])), {
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(answer.body).toMatchObject({ count: 2 })
  })
})

describe('bad input of POST /events', () => {
  it.each([
    ['null', 'null'],
    ['a number', '42'],
    ['a text', '"hello"'],
    ['true', 'true'],
    ['nothing', ''],
    ['broken JSON', '{"userId":'],
    ['broken UTF-8', new Uint8Array([0xff, 0xfe, 0x7b])],
    ['an empty array', '[]'],
    ['an empty batch', '{"batch":[]}'],
    ['a batch that is no array', '{"batch":{"userId":"u"}}'],
    ['nested arrays', JSON.stringify([[event()]])],
    ['numbers and nulls', '[1,null,"x"]'],
    ['deep nesting', '['.repeat(200_000)],
    ['not really gzip', new Uint8Array([0x1f, 0x8b, 1, 2, 3])],
  ])('answers %s with 400 and a JSON error', async (_name, body) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(answer.body).toMatchObject({ ok: false, error: 'Bad Request', message: expect.stringMatching(/\w/) })
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|at .*\.(ts|js):|SyntaxError|ZodError/)
  })

  it.each([
    ['plain', (body: Buffer) => body],
    ['gzipped', gzipSync],
  ])('takes a %s body that is not UTF-8, and marks the event whose bytes were not', async (_name, encode) => {
    const good = event()
    const latin1 = Buffer.from(JSON.stringify([event({ payload: { url: '/caf\u00e9' } }), good]), 'latin1')
    const answer = await post(encode(latin1))
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ accepted: 2 })
    expect(Object.values((answer.body as { results: object }).results)).toEqual([
      expect.objectContaining({ result: 'warning', code: 'changed_value', path: 'payload.url' }),
      { result: 'ok' },
    ])
  })

  it('refuses 11 MB by its Content-Length and leaves the connection usable', async () => {
    const before = await settledEvents()
    const answer = await post('x'.repeat(11 * 1024 * 1024))
    expect(answer.status).toBe(413)
    expect(answer.body).toMatchObject({ error: 'Payload Too Large', limits: { maxEvents: 2500 } })
    expect((await post(event())).status).toBe(202)
    await eventually(async () => expect(await totalEvents()).toBe(before + 1))
  })

  it('refuses a chunked body once it passes the limit', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const req = request(`${server.url}/events`, { method: 'POST' }, (res) => {
        res.resume()
        resolve(res.statusCode ?? 0)
      })
      req.on('error', reject)
      const part = Buffer.alloc(64 * 1024, 'x')
      for (let sent = 0; sent < 5 * 1024 * 1024; sent += part.length) req.write(part)
      req.end()
    })
    expect(status).toBe(413)
  })

  it('refuses a gzip bomb without inflating it all', async () => {
    const answer = await post(gzipSync(Buffer.alloc(200 * 1024 * 1024, ' ')))
    expect(answer.status).toBe(413)
  })

  it('refuses more events than a request may hold, all of them, and takes others at once', async () => {
    const before = await settledEvents()
    const answer = await post(`[${Array.from({ length: 150_000 }, () => '{}').join(',')}]`)
    expect(answer.status).toBe(413)
    expect((await post(event())).status).toBe(202)
    await eventually(async () => expect(await totalEvents()).toBe(before + 1))
  })

  it('drops an event larger than 32 KB and keeps its neighbour', async () => {
    const answer = await post([event({ payload: { url: 'x'.repeat(40_000) } }), event()])
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({
      accepted: 1,
      rejected: 1,
      results: { '#0': { result: 'drop', code: 'too_large' } },
    })
  })

  it('answers a body that stalls with 408', async () => {
    // A server of its own: to no other body may a busy machine bring this limit.
    const strict = await startServer({ args: ['--no-demo'], env: { INGEST_BODY_TIMEOUT_MS: '300' } })
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(strict.url).port), '127.0.0.1', () => {
        socket.write('POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"userId"')
      })
      socket.on('data', (data) => {
        resolve(data.toString())
        socket.destroy()
      })
      socket.on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    await strict.stop()
  })

  it('answers other methods with 405', async () => {
    const response = await fetch(`${server.url}/events`)
    expect(response.status).toBe(405)
    expect(await response.json()).toMatchObject({ error: 'Method Not Allowed' })
  })
})

describe('a full buffer', () => {
  it('refuses a whole request with 429 and Retry-After, and never part of it', async () => {
    const full = await startServer({
      args: ['--no-demo'],
      env: { INGEST_ACK: 'memory', INGEST_BUFFER_EVENTS: '100', INGEST_MAX_EVENTS: '100', FLUSH_INTERVAL_MS: '60000' },
    })
    try {
      const send = (count: number) =>
        fetch(`${full.url}/events`, {
          method: 'POST',
          body: JSON.stringify(Array.from({ length: count }, () => event())),
        })
      expect((await send(60)).status).toBe(202)
      const refused = await send(41)
      expect(refused.status).toBe(429)
      const retryAfter = Number(refused.headers.get('retry-after'))
      expect(retryAfter).toBeGreaterThanOrEqual(1)
      expect(retryAfter).toBeLessThanOrEqual(5)
      expect(await refused.json()).toMatchObject({
        error: 'Too Many Requests',
        message: expect.any(String),
        retryAfter,
      })
      expect((await send(40)).status).toBe(202)
      const health = (await (await fetch(`${full.url}/health`)).json()) as Record<string, unknown>
      expect(health).toMatchObject({ bufferSize: 100, bufferLimit: 100 })
      expect((await fetch(`${full.url}/health/ready`)).status).toBe(503)
      expect((await fetch(`${full.url}/health/live`)).status).toBe(200)
    } finally {
      await full.stop()
    }
  })
})
