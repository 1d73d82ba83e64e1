import { beforeAll, describe, expect, it } from 'vitest'
import { hashKey } from '../server/ingest/keys.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const SHOP = 'https://shop.example'
const SHOP_KEY = `pk_${'o'.repeat(43)}`
let server: TestServer
let cookie: string

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'] })
  cookie = await signUpOwner(server.url)
  const store = await createSqliteStore({ path: `${server.dataDir}/veritas.db`, readers: 1 })
  await store.keys.create({
    keyHash: hashKey(SHOP_KEY),
    siteId: 'default',
    kind: 'pk',
    name: 'shop',
    eventsPerSecond: null,
    origins: SHOP,
    createdAt: 1,
  })
  await store.close()
})

const view = (over: object = {}) => ({ userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' }, ...over })

interface Answer {
  status: number
  headers: Headers
  body: { accepted: number; eventIds: string[]; results: Record<string, object>; message: string; notKept?: string[] }
}

async function post(body: unknown, headers: Record<string, string> = {}, path = '/events'): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(server.url + path, { method: 'POST', headers, body: text })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}

async function journey(userId: string): Promise<{ eventId: string; payload: object; occurredAt: string }[]> {
  const input = encodeURIComponent(JSON.stringify({ userId, limit: 100 }))
  const response = await fetch(`${server.url}/trpc/journey.byUser?input=${input}`, { headers: { cookie } })
  return ((await response.json()) as { result: { data: { events: [] } } }).result.data.events
}

describe('verdicts', () => {
  it('are told apart where events have one id, or one that looks like a place', async () => {
    const { body } = await post([
      view({ eventId: '#1' }),
      { type: 'page_view' },
      view({ eventId: 'twice' }),
      { eventId: 'twice', type: 'page_view' },
      view({ eventId: 'twice', userId: 'other' }),
      view({ eventId: 'twice' }),
    ])
    expect(body.results).toEqual({
      '#0': { result: 'ok' },
      '#1': expect.objectContaining({ result: 'drop', path: 'userId' }),
      twice: { result: 'ok' },
      '#3': expect.objectContaining({ result: 'drop', path: 'userId' }),
      '#4': expect.objectContaining({ result: 'warning', code: 'repeated_id' }),
      '#5': { result: 'ok' },
    })
  })

  it('name what is not kept, and the event is', async () => {
    const { body } = await post({
      sentAt: '2026-11-22T14:32:08Z',
      context: { ip: '1' },
      batch: [view({ userId: 'named', eventId: 'n1', anonymousId: 'a', properties: {}, timestamp: 1 })],
    })
    expect(body).toMatchObject({
      accepted: 1,
      notKept: ['context'],
      results: {
        n1: { result: 'warning', code: 'unknown_field', notKept: ['anonymousId', 'properties', 'timestamp'] },
      },
    })
    await eventually(async () => expect(await journey('named')).toHaveLength(1))
  })

  it('measure of an event what is kept, whatever else and however many blanks stand beside it', async () => {
    const long = 'x'.repeat(33_000)
    const kept = view({ userId: 'measured', eventId: 'beside', context: { page: long }, properties: [long] })
    const single = await post(JSON.stringify(kept).replace('{', `{${' '.repeat(33_000)}`))
    expect(single).toMatchObject({ status: 202, body: { results: { beside: { notKept: ['context', 'properties'] } } } })
    const { body } = await post([
      { ...kept, eventId: 'same', context: long },
      { ...kept, eventId: 'same', context: 1 },
      view({ userId: 'measured', eventId: 'payload', payload: { url: '/', long } }),
      view({ userId: 'measured', eventId: 'small', payload: { url: '/', long: long.slice(2000) } }),
      view({ userId: 'null', anonymousId: long, eventId: 'who' }),
    ])
    expect(body.eventIds).toEqual(['same', 'same', 'small'])
    expect(body.results).toMatchObject({
      same: { result: 'warning', notKept: ['context', 'properties'] },
      '#1': { result: 'warning', code: 'unknown_field' },
      payload: { result: 'drop', code: 'too_large', details: expect.stringContaining('What is kept') },
      who: { result: 'drop', code: 'too_large' },
    })
    await eventually(async () =>
      expect((await journey('measured')).map(({ eventId }) => eventId).sort()).toEqual(['beside', 'same', 'small']),
    )
  })

  it('of an event nested too deep, or with a broken id, cost no other', async () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })
    const { body } = await post([
      ...[33, 40, 500].map((levels, n) => view({ eventId: `deep-${n}`, payload: { url: '/', a: nested(levels) } })),
      view({ eventId: 'half', userId: 'a\ud800' }),
      view({ eventId: 'good', userId: 'deep', payload: { url: '/', a: nested(31) } }),
    ])
    expect(body.accepted).toBe(1)
    expect(body.eventIds).toEqual(['good'])
    expect(body.results['deep-2']).toMatchObject({ result: 'drop', details: expect.stringContaining('nests deeper') })
    await eventually(async () => expect(await journey('deep')).toHaveLength(1))
  })

  it('tell of values that are kept in another way, and the event has them', async () => {
    const { body } = await post(
      '{"userId":"mended","sessionId":"s","type":"page_view","eventId":"m1","payload":{"url":"\\ud800","n":1e400,"z":-0}}',
    )
    expect(body.results.m1).toMatchObject({ result: 'warning', code: 'changed_value' })
    await eventually(async () =>
      expect(await journey('mended')).toEqual([
        expect.objectContaining({
          payload: { url: '\ufffd', n: null, z: 0 },
          issues: [expect.anything(), expect.anything(), expect.anything()],
        }),
      ]),
    )
  })
})

describe('ids and times', () => {
  it('are read as storefronts write them', async () => {
    const id = '0190B3C4-AAAA-7000-8000-00000000000F'
    const at = new Date(Date.now() - 60_000)
    const spelled = at.toISOString().replace('T', ' ').replace('Z', '+0000')
    const { body } = await post([
      view({ userId: 4711, sessionId: 1, eventId: id, occurredAt: spelled }),
      view({ userId: 'null', anonymousId: 4711, eventId: id.toLowerCase(), sessionId: 1, occurredAt: spelled }),
    ])
    expect(body).toMatchObject({ accepted: 2, results: { [id]: { result: 'ok' } } })
    await eventually(async () =>
      expect(await journey('4711')).toEqual([
        expect.objectContaining({ eventId: id.toLowerCase(), occurredAt: at.toISOString() }),
      ]),
    )
    const refused = await post(view({ occurredAt: '2026-11-22T14:32:08' }))
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining('no time zone') } })
  })
})

describe('an id for two events', () => {
  it('is told of after a restart, too, and a repetition is not', async () => {
    const first = view({ userId: 'twice', payload: { url: '/first' } })
    const headers = { 'idempotency-key': 'used-again' }
    const health = async () =>
      ((await (await fetch(`${server.url}/health`)).json()) as { events: { conflicts: number; duplicate: number } })
        .events
    expect((await post(first, headers)).status).toBe(202)
    await eventually(async () => expect(await journey('twice')).toHaveLength(1))
    await server.restart()
    expect((await post(first, headers)).status).toBe(202)
    await eventually(async () => expect(await health()).toMatchObject({ duplicate: 1, conflicts: 0 }))
    await server.restart()
    expect((await post(view({ userId: 'twice', payload: { url: '/second' } }), headers)).status).toBe(202)
    await eventually(async () => expect(await health()).toMatchObject({ duplicate: 1, conflicts: 1 }))
    expect(await journey('twice')).toHaveLength(1)
  })
})

describe('a key of one origin', () => {
  const from = (origin: string) => ({ origin, 'x-write-key': SHOP_KEY })

  it('is taken from its pages and from no page, and refused to others without leave to read why', async () => {
    const own = await post(view(), from(SHOP))
    expect(own.status).toBe(202)
    expect(own.headers.get('access-control-allow-origin')).toBe(SHOP)
    expect((await post(view(), { 'x-write-key': SHOP_KEY })).status).toBe(202)
    for (const origin of ['https://evil.example', 'null', `${SHOP}.evil.example`]) {
      const other = await post(view(), from(origin))
      expect(other.status).toBe(403)
      expect(other.body.message).toContain('not for pages of')
      expect(other.headers.get('access-control-allow-origin')).toBeNull()
    }
    const inBody = await post({ ...view(), writeKey: SHOP_KEY }, { origin: 'https://evil.example' })
    expect(inBody.status).toBe(403)
  })

  it('is told to a browser that asks first', async () => {
    const ask = (origin: string) =>
      fetch(`${server.url}/events?writeKey=${SHOP_KEY}`, { method: 'OPTIONS', headers: { origin } })
    expect((await ask(SHOP)).status).toBe(204)
    expect((await ask('https://evil.example')).status).toBe(403)
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  })

  it('is found beside an Authorization for somebody else', async () => {
    const authorization = `Basic ${Buffer.from('staging:secret').toString('base64')}`
    expect((await post(view(), { authorization, 'x-write-key': SHOP_KEY })).status).toBe(202)
    expect((await post(view(), { authorization }, `/events?api_key=${SHOP_KEY}`)).status).toBe(202)
    expect((await post(view(), { authorization })).status).toBe(202)
    expect((await post(view(), { 'x-write-key': 'pk_typo' })).status).toBe(401)
  })
})
