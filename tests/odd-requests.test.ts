import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

async function post(body: unknown): Promise<void> {
  const response = await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(body) })
  expect(response.status).toBe(202)
}

async function get(path: string) {
  const response = await fetch(server.url + path, { headers: { cookie }, redirect: 'manual' })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('private answers', () => {
  beforeAll(async () => {
    await post(event())
    await eventually(async () => expect((await get('/users/u1')).status).toBe(200))
  })

  it.each([
    '/stats',
    '/users',
    '/users/u1',
    '/users/u1/journey',
    '/users/u1/sessions',
    '/trpc/stats.overview?input={}',
    '/trpc/stats.pulse',
    '/api/auth/get-session',
    '/dashboard',
    '/dashboard.csv',
    '/users.csv',
    '/search?q=u',
  ])('%s is kept by no cache', async (path) => {
    const { status, headers } = await get(path)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('private, no-store')
  })

  it('nor are refusals', async () => {
    const response = await fetch(`${server.url}/stats`)
    expect(response.status).toBe(401)
    expect(response.headers.get('cache-control')).toBe('private, no-store')
  })
})

describe('days at the ends of the calendar', () => {
  it.each([
    '/stats?from=9999-12-31&to=9999-12-31&interval=hour',
    '/stats?from=0000-01-01&to=0000-01-02&compare=year',
    '/stats?from=0000-01-01&to=0000-01-02&interval=week',
    '/users/u1/journey?to=9999-12-31',
  ])('%s is refused with a reason', async (path) => {
    const { status, text } = await get(path)
    expect(status).toBe(400)
    expect(text).toContain('from 1900-01-01 to 9998-12-31')
  })

  it.each([
    '/stats?from=9998-12-31&to=9998-12-31&interval=hour&compare=year',
    '/stats?from=1900-01-01&to=1900-01-02&interval=week&compare=previous',
    '/users/u1/journey?from=1900-01-01&to=9998-12-31',
    '/dashboard?from=9999-12-31&to=9999-12-31',
    '/dashboard?from=0000-01-01&to=0000-01-01&compare=year',
    '/dashboard.csv?from=0000-01-01&to=0000-01-01',
  ])('%s is answered', async (path) => {
    expect((await get(path)).status).toBe(200)
  })
})

describe('one event of a clock that stands at 1970', () => {
  beforeAll(async () => {
    await post(event({ userId: 'old', occurredAt: 1_795_442 }))
    await eventually(async () => expect((await get('/users/old')).status).toBe(200))
  })

  it('leaves the figures of all other days to be read', async () => {
    const { status, text } = await get('/stats')
    expect(status).toBe(200)
    const { totalEvents, eventsByDay, range, allTime } = JSON.parse(text)
    expect(totalEvents).toBe(1)
    expect(eventsByDay).toHaveLength(3660)
    expect(eventsByDay.at(-1)).toEqual({ date: range.to, count: 1 })
    expect(allTime).toMatchObject({ events: 2, users: 2, firstDay: '1970-01-01' })
  })

  it('is itself found on its day, and a range that is too long is still refused', async () => {
    const { text } = await get('/stats?from=1970-01-01&to=1970-01-01')
    expect(JSON.parse(text)).toMatchObject({ totalEvents: 1, totalUsers: 1 })
    expect((await get('/stats?from=1970-01-01')).status).toBe(400)
  })
})

describe('a body that is no form of ours', () => {
  const send = (path: string, body: string, type: string) =>
    fetch(server.url + path, { method: 'POST', body, headers: { 'content-type': type }, redirect: 'manual' })

  it.each(['/login', '/signup', '/theme'])('is refused at %s and logged as no failure', async (path) => {
    const before = server.output()
    const response = await send(path, '{"email":"a@b.example"}', 'application/json')
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('form')
    expect(server.output()).toBe(before)
  })

  it('is refused by its length before it is read into memory', async () => {
    const response = await send('/login', `email=${'x'.repeat(1_000_000)}`, 'application/x-www-form-urlencoded')
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: 'Payload Too Large' })
  })

  it('ends its connection once it passes the limit without having told its length', async () => {
    let sent = 0
    const part = Buffer.alloc(64 * 1024, 'x')
    const ended = await new Promise<boolean>((resolve) => {
      const req = request(`${server.url}/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      req.on('error', () => resolve(true)).on('response', () => resolve(false))
      const writeOn = () => {
        if (req.destroyed) return
        if (sent > 64 * 1024 * 1024) return void req.end()
        sent += part.length
        req.write(part, () => setImmediate(writeOn))
      }
      writeOn()
    })
    expect(ended).toBe(true)
    expect(sent).toBeLessThan(16 * 1024 * 1024)
  })
})
