import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVeritasClient } from '../trpc/client.ts'
import type { Account } from '../trpc/schema/account.ts'
import type { Journey } from '../trpc/schema/journey.ts'
import type { Overview } from '../trpc/schema/stats.ts'
import type { UsersList } from '../trpc/schema/users.ts'
import { startServer, type TestServer } from './server.ts'
import { cookieOf, eventually, owner, signUpOwner } from './shop.ts'

const STRANGE_ID = 'a/b?x#ü %2F+'
/** Whatever an address of these tests may answer. */
type Body = Overview &
  UsersList &
  Journey & {
    message: string
    user: Account
    openapi: string
    paths: Record<
      string,
      Record<string, { parameters?: { name: string; schema: object }[]; responses: object } | undefined> | undefined
    >
    components: { schemas: object }
    result: { data: { invitation: string } }
  }

let server: TestServer
let cookie: string

beforeAll(async () => {
  // Eight hours west of UTC: an event in the evening is on another UTC day.
  server = await startServer({ args: ['--no-demo'], env: { SITE_TIME_ZONE: 'America/Los_Angeles', SITE_NAME: 'West' } })
  cookie = await signUpOwner(server.url)
  const events = [
    ...Array.from({ length: 250 }, (_, i) => ({
      eventId: `e-${i}`,
      userId: STRANGE_ID,
      sessionId: `s-${Math.floor(i / 100)}`,
      type: 'page_view',
      payload: { url: `/${i}` },
      occurredAt: Date.UTC(2026, 10, 1, 12) + i * 60_000,
    })),
    { userId: 'evening', sessionId: 's', type: 'search', payload: { query: 'x' }, occurredAt: '2026-11-20T03:30:00Z' },
  ]
  const response = await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(events) })
  expect(response.status).toBe(202)
  await eventually(async () => expect((await get('/stats')).body.totalEvents).toBe(251))
})
afterAll(() => server.stop())

async function get(path: string, headers: Record<string, string> = { cookie }) {
  const response = await fetch(server.url + path, { headers, redirect: 'manual' })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson ? JSON.parse(text) : {}) as Body,
  }
}

async function send(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return {
    status: response.status,
    cookie: cookieOf(response),
    headers: response.headers,
    body: (await response.json()) as Body,
  }
}

describe('figures', () => {
  it('keep the shape of the first Veritas', async () => {
    const { body } = await get('/stats')
    expect(body).toMatchObject({
      totalUsers: 2,
      totalEvents: 251,
      eventsByType: [
        { type: 'page_view', count: 250 },
        { type: 'search', count: 1 },
      ],
    })
    expect(body.eventsByDay[0]).toEqual({ date: '2026-11-01', count: 250 })
  })

  it('count an event on the day it had in the site’s zone', async () => {
    const { body } = await get('/stats?from=2026-11-19&to=2026-11-19')
    expect(body).toMatchObject({ totalEvents: 1, totalUsers: 1 })
    expect((await get('/stats?from=2026-11-20&to=2026-11-20')).body.totalEvents).toBe(0)
  })

  it.each([
    ['/stats?from=yesterday', 'from'],
    ['/stats?from=2026-11-02&to=2026-11-01', 'from'],
    ['/stats?interval=minute', 'interval'],
    ['/users?pageSize=0', 'pageSize'],
    ['/users?pageSize=101', 'pageSize'],
    ['/users?page=x', 'page'],
    ['/users?sort=password', 'sort'],
    ['/users?cursor=abc', 'cursor'],
    [`/users/${encodeURIComponent(STRANGE_ID)}/journey?limit=1001`, 'limit'],
    ['/users/u/journey?from=then', 'from'],
  ])('%s is refused with 400 that names %s', async (path, field) => {
    const { status, body } = await get(path)
    expect(status).toBe(400)
    expect(body.message).toContain(field)
    expect(JSON.stringify(body)).not.toMatch(/stack|node_modules/)
  })

  it('says of a broken address what is wrong with it', async () => {
    expect((await get('/users/%E0%A4%A/journey')).status).toBe(400)
  })
})

describe('a journey', () => {
  const path = `/users/${encodeURIComponent(STRANGE_ID)}/journey`

  it('is found under an id with every awkward character', async () => {
    const { body } = await get(`${path}?limit=1000`)
    expect(body).toMatchObject({ userId: STRANGE_ID, count: 250 })
    expect(body.events[0]).toEqual({
      eventId: 'e-249',
      userId: STRANGE_ID,
      sessionId: 's-2',
      type: 'page_view',
      payload: { url: '/249' },
      occurredAt: '2026-11-01T16:09:00.000Z',
      receivedAt: expect.any(String),
      trust: 'verified',
    })
  })

  it('is whole when followed by its cursor, and never silently cut', async () => {
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { body }: { body: Body } = await get(`${path}${cursor ? `?cursor=${cursor}` : ''}`)
      expect(body.count).toBeLessThanOrEqual(100)
      ids.push(...body.events.map((event: { eventId: string }) => event.eventId))
      cursor = body.nextCursor
    }
    expect(ids).toEqual(Array.from({ length: 250 }, (_, i) => `e-${249 - i}`))
  })

  it('takes from and to as days of the site’s zone', async () => {
    expect((await get('/users/evening/journey?from=2026-11-19&to=2026-11-19')).body.count).toBe(1)
    expect((await get('/users/evening/journey?from=2026-11-20')).body.count).toBe(0)
  })
})

describe('users', () => {
  it('keep the shape of the first Veritas', async () => {
    const { body } = await get('/users?page=1&pageSize=1&sort=totalEvents')
    expect(body).toMatchObject({ totalCount: 2, page: 1, pageSize: 1, totalPages: 2 })
    expect(body.users[0]).toMatchObject({
      userId: STRANGE_ID,
      totalEvents: 250,
      totalSessions: 3,
      lastActive: '2026-11-01T16:09:00.000Z',
    })
  })

  it('are JSON to a tool and a page to a browser', async () => {
    expect((await get('/users')).headers.get('content-type')).toContain('application/json')
    const page = await get('/users', { cookie, accept: 'text/html,application/xhtml+xml' })
    expect(page.headers.get('content-type')).toContain('text/html')
  })
})

describe('who may read', () => {
  it.each([
    '/stats',
    '/users',
    '/users/u',
    '/users/u/journey',
    '/users/u/sessions',
    '/trpc/stats.overview?input=%7B%7D',
  ])('%s is 401 JSON without a login', async (path) => {
    const { status, body } = await get(path, {})
    expect(status).toBe(401)
    expect(JSON.stringify(body)).toContain('Log in')
  })

  it('a made-up cookie or token is no login', async () => {
    expect((await get('/stats', { cookie: 'veritas_session=eyJhIjoxfQ.abc' })).status).toBe(401)
    expect((await get('/stats', { authorization: 'Bearer vt_guess' })).status).toBe(401)
  })

  it('the login cookie is out of reach of scripts and other sites', async () => {
    const { headers } = await send('/api/auth/sign-in/email', { email: owner.email, password: owner.password })
    const [header] = headers.getSetCookie()
    expect(header).toMatch(/HttpOnly/i)
    expect(header).toMatch(/SameSite=Lax/i)
  })

  it('a page of another site cannot act with the login', async () => {
    const foreign = await send('/api/auth/sign-out', {}, { cookie, origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
    const trpc = await send('/trpc/auth.signOut', {}, { cookie, origin: 'https://evil.example' })
    expect(trpc.status).toBe(403)
    expect((await get('/stats')).status).toBe(200)
  })

  it('a tool reads typed figures through tRPC with the same answers', async () => {
    const signedIn = await send('/trpc/auth.signIn', { email: owner.email, password: owner.password })
    expect(signedIn.status).toBe(200)
    await expect(createVeritasClient({ url: server.url }).stats.overview.query({})).rejects.toThrow('Log in')
  })
})

describe('accounts', () => {
  it('the first is the owner; later sign-ups are refused', async () => {
    const session = await get('/api/auth/get-session')
    expect(session.body.user).toMatchObject({ email: owner.email, role: 'owner' })
    const later = await send('/api/auth/sign-up/email', {
      name: 'Eve',
      email: 'eve@x.example',
      password: 'long enough',
    })
    expect(later.status).toBe(403)
    expect(later.cookie).toBe('')
  })

  it('an invitation lets exactly its email in, once', async () => {
    const invited = await send('/trpc/auth.invite', { email: 'ana@nordlicht.example' }, { cookie })
    const { invitation } = invited.body.result.data
    const wrong = await send('/api/auth/sign-up/email', {
      name: 'Eve',
      email: 'eve@x.example',
      password: 'long enough',
      invitation,
    })
    expect(wrong.status).toBe(422)
    const ana = { name: 'Ana', email: 'Ana@nordlicht.example', password: 'long enough', invitation }
    const first = await send('/api/auth/sign-up/email', ana)
    expect(first.body.user).toMatchObject({ email: 'ana@nordlicht.example', role: 'analyst' })
    expect((await send('/api/auth/sign-up/email', ana)).status).toBe(403)
    expect((await send('/trpc/auth.invite', { email: 'b@x.example' }, { cookie: first.cookie })).status).toBe(403)
  })

  it.each([
    [{ email: 'x', password: 'p' }, 400, 'email'],
    [{}, 400, 'email: Enter an email address such as lena@example.com; password: Enter your password'],
    [{ email: 'x@y.example' }, 400, 'password: Enter your password'],
    [{ email: 'nobody@y.example', password: 'wrong' }, 401, 'do not match'],
    [{ email: owner.email, password: 'wrong' }, 401, 'do not match'],
    [{ email: ['a'], password: {} }, 400, 'email'],
  ])('sign-in with %j answers %i and says %s', async (body, status, text) => {
    const answer = await send('/api/auth/sign-in/email', body)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toContain(text)
  })

  it('a broken body is refused without its parser’s words', async () => {
    const response = await fetch(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"email":',
    })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toMatch(/stack|node_modules/)
  })

  it('guessing is stopped after five tries, also for the right password', async () => {
    const email = 'guess@nordlicht.example'
    const statuses = []
    for (let i = 0; i < 6; i++)
      statuses.push((await send('/api/auth/sign-in/email', { email, password: `guess ${i}` })).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    const last = await send('/api/auth/sign-in/email', { email, password: 'guess' })
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('logging out ends the login on the server too', async () => {
    const { cookie: fresh } = await send('/api/auth/sign-in/email', { email: owner.email, password: owner.password })
    expect((await get('/stats', { cookie: fresh })).status).toBe(200)
    const response = await fetch(`${server.url}/api/auth/sign-out`, { method: 'POST', headers: { cookie: fresh } })
    expect(response.status).toBe(200)
    expect((await get('/stats', { cookie: fresh })).status).toBe(401)
  })
})

describe('the rest of the house', () => {
  it('describes itself in OpenAPI: events, figures, users, accounts', async () => {
    const { body } = await get('/api-docs.json', {})
    expect(body.openapi).toMatch(/^3\.1/)
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/events',
        '/stats',
        '/users',
        '/users/{userId}',
        '/users/{userId}/journey',
        '/api/auth/sign-in/email',
      ]),
    )
    expect(Object.keys(body.components.schemas)).toContain('event_purchase')
    const schemaOf = (path: string, name: string) =>
      body.paths[path]?.get?.parameters?.find((parameter) => parameter.name === name)?.schema
    for (const path of ['/users', '/users/{userId}/journey', '/users/{userId}/sessions'])
      expect(schemaOf(path, 'cursor'), path).toMatchObject({ type: 'string', pattern: '^[A-Za-z0-9_-]*$' })
    for (const name of ['from', 'to'])
      expect(schemaOf('/stats', name), name).toMatchObject({ description: expect.stringMatching(/1900.*9998/) })
    expect(Object.keys(body.paths['/events']?.post?.responses ?? {})).toEqual(
      expect.arrayContaining(['202', '400', '401', '403', '408', '413', '415', '429', '503']),
    )
    expect((await get('/api-docs', {})).text).toContain('swagger-ui')
    expect((await get('/api-docs/swagger-ui-bundle.js', {})).status).toBe(200)
  })

  it('is healthy and says so', async () => {
    // A store that takes longer than a second to answer is told as down.
    await eventually(async () =>
      expect((await get('/health', {})).body).toMatchObject({
        status: 'ok',
        database: 'up',
        engine: 'sqlite',
        ackLevel: 'fsync',
      }),
    )
    expect((await get('/health/live', {})).status).toBe(200)
    await eventually(async () => expect((await get('/health/ready', {})).body).toMatchObject({ status: 'ok' }))
  })

  it('sends pages and scripts compressed, and a missing asset as missing', async () => {
    const page = await fetch(`${server.url}/login`, { headers: { 'accept-encoding': 'gzip' } })
    expect(page.headers.get('content-encoding')).toBe('gzip')
    const [script] = /\/assets\/[\w.-]+\.js/.exec(await page.text()) ?? []
    const asset = await fetch(server.url + script, { headers: { 'accept-encoding': 'br' } })
    expect(asset.headers.get('content-encoding')).toBe('br')
    expect(asset.headers.get('cache-control')).toContain('immutable')
    expect((await asset.text()).length).toBeGreaterThan(100)
    const missing = await fetch(`${server.url}/assets/gone-abc.js`, { redirect: 'manual' })
    expect(missing.status).toBe(404)
    expect(missing.headers.get('content-type')).toContain('text/plain')
  })

  it.each([
    '//',
    '/%',
    '/../../etc/passwd',
    '/trpc/nothing',
    '/assets/..%2f..%2fpackage.json',
    '/users/x/y/z',
    '/api/auth/nothing',
  ])('%s is not found and leaks nothing', async (path) => {
    const { status, text } = await get(path)
    expect([302, 400, 404]).toContain(status)
    expect(text).not.toMatch(/node_modules|\bat \S+ \(|"stack"/)
  })
})
