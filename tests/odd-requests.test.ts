import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVeritasClient } from '../trpc/client.ts'
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

describe('addresses that are none', () => {
  const names = [
    '%0d%0a',
    '%0d%0aSet-Cookie:x=1',
    '%00',
    '%',
    '%zz',
    '%E0%A4%A',
    '%ff',
    '%5cevil',
    'a%0ab',
    '%e2%80%ae',
  ]
  const addresses = names.flatMap((name) =>
    ['/X', '/users/X', '/users/X/journey', '/users/X/older', '/users/X/journey.data', '/dashboard/X', '/X.data'].map(
      (address) => address.replace('X', name),
    ),
  )
  const odd = ['//evil.example/users', '/%5Cevil.example', '/users//journey', `/${'x'.repeat(4000)}`]

  it.each(['in', 'out'])('are told so to somebody logged %s, and are no failure', async (where) => {
    const before = server.problems().length
    for (const address of [...addresses, ...odd]) {
      const headers = { accept: 'text/html', ...(where === 'in' && { cookie }) }
      const { status, location } = await raw(address, headers)
      // Whoever is not logged in is led to the login, here; scripts by an answer that names it.
      if (status === 202 && where === 'out' && address.endsWith('.data')) continue
      if (status === 302) expect(location).toMatch(/^\/login(\?|$)/)
      else expect([address, status >= 400 && status < 500]).toEqual([address, true])
    }
    expect(server.problems().slice(before)).toEqual([])
  })

  function raw(path: string, headers: Record<string, string>): Promise<{ status: number; location: string }> {
    const { hostname, port } = new URL(server.url)
    return new Promise((resolve, reject) => {
      request({ hostname, port, path, headers }, (response) => {
        response.resume()
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '' }),
        )
      })
        .once('error', reject)
        .end()
    })
  }
})

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
    // What the palette asks while somebody types.
    `/trpc/users.list?input=${encodeURIComponent('{"search":"u","pageSize":6}')}`,
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

  // A page says that it shows other days; a file would be taken for those that were asked for.
  it('a file of such days is refused with a reason', async () => {
    const { status, text } = await get('/dashboard.csv?from=0000-01-01&to=0000-01-01')
    expect([status, text]).toEqual([400, expect.stringContaining('“0000-01-01” is not a day')])
  })

  it.each([
    '/stats?from=9998-12-31&to=9998-12-31&interval=hour&compare=year',
    '/stats?from=1900-01-01&to=1900-01-02&interval=week&compare=previous',
    '/users/u1/journey?from=1900-01-01&to=9998-12-31',
    '/dashboard?from=9999-12-31&to=9999-12-31',
    '/dashboard?from=0000-01-01&to=0000-01-01&compare=year',
  ])('%s is answered', async (path) => {
    expect((await get(path)).status).toBe(200)
  })
})

describe('one event of a clock that stands at 1970', () => {
  const young = '2026-11-20T12:00:00.000Z'

  beforeAll(async () => {
    await post(event({ userId: 'old', occurredAt: '1970-01-01T00:29:55.442Z' }))
    await post(event({ userId: 'young', occurredAt: young }))
    for (const userId of ['old', 'young'])
      await eventually(async () => expect((await get(`/users/${userId}`)).status).toBe(200))
  })

  it('leaves the figures of all other days to be read', async () => {
    const { status, text } = await get('/stats')
    expect(status).toBe(200)
    const { totalEvents, eventsByDay, range, allTime } = JSON.parse(text)
    expect(totalEvents).toBe(2)
    expect(eventsByDay).toHaveLength(3660)
    expect(eventsByDay.at(-1).date).toBe(range.to)
    expect(eventsByDay).toContainEqual({ date: young.slice(0, 10), count: 1 })
    expect(allTime).toMatchObject({ events: 3, users: 3, firstDay: '1970-01-01' })
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
    const before = server.problems()
    const response = await send(path, '{"email":"a@b.example"}', 'multipart/form-data')
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('form')
    expect(server.problems()).toEqual(before)
  })

  it('is refused by its length before it is read into memory', async () => {
    const response = await send('/login', `email=${'x'.repeat(1_000_000)}`, 'application/x-www-form-urlencoded')
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: 'Payload Too Large' })
  })

  it('is refused once it passes the limit without having told its length', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const req = request(`${server.url}/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      req.on('response', (response) => {
        resolve(response.statusCode ?? 0)
        req.destroy()
      })
      req.on('error', reject)
      const part = Buffer.alloc(64 * 1024, 'x')
      const writeOn = () => void (req.destroyed || req.write(part, () => setImmediate(writeOn)))
      writeOn()
    })
    expect(status).toBe(413)
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200)
  })
})

/** The answer to bytes that no client library would send. */
function talk(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    socket.once('close', () => resolve(text)).on('error', () => {})
  })
}

describe('other spellings of an address', () => {
  it.each(['/events/', '//events', 'http://shop.example/events', '/events/?writeKey='])(
    '%s takes events',
    async (target) => {
      const body = JSON.stringify(event())
      const answer = await talk(
        `POST ${target} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 202 /)
    },
  )

  it('of a page, as proxies write it, leads to the page', async () => {
    const answer = await talk(
      'GET http://shop.example/login?next=/users HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })

  it.each(['//users', '/\\users', '///users'])('%s is an address of this server in every link', async (target) => {
    const answer = await talk(`GET ${target} HTTP/1.1\r\nhost: shop\r\naccept: text/html\r\nconnection: close\r\n\r\n`)
    expect(answer).toMatch(/^location: \/login\?next=%2Fusers/im)
  })

  it.each(['/event', '/v1/track', '/EVENTS', '/dashboard'])(
    'JSON posted to %s is told so, and not led to a login that looks like success',
    async (path) => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        body: JSON.stringify(event()),
        headers: { 'content-type': 'application/json' },
        redirect: 'manual',
      })
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({
        ok: false,
        error: 'Not Found',
        message: expect.stringContaining('/events'),
      })
    },
  )
})

describe('requests that cannot be read', () => {
  it.each([
    ['a host that is none', 'GET /login HTTP/1.1\r\nhost: a b<>\r\nconnection: close\r\n\r\n', 400],
    ['no HTTP', '\x16\x03\x01\x00\r\n\r\n', 400],
    ['two lengths', 'POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}', 400],
    ['a cookie of 20 KB', `GET /login HTTP/1.1\r\nhost: x\r\ncookie: a=${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s: the answer says why in JSON', async (_name, bytes, status) => {
    const before = server.problems()
    const answer = await talk(bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
    expect(body).toMatchObject({ ok: false, error: expect.any(String), message: expect.stringMatching(/\w+ \w+/) })
    expect(server.problems()).toEqual(before)
  })
})

describe('events as odd clients write them', () => {
  const send = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/events`, { method: 'POST', body: body as BodyInit, headers })

  it('may begin with a byte order mark', async () => {
    expect((await send(`\ufeff${JSON.stringify(event())}`)).status).toBe(202)
  })

  it('may say null where they have no id and no time', async () => {
    const answer = await send(JSON.stringify(event({ userId: 'nulls', eventId: null, occurredAt: null })))
    expect(answer.status).toBe(202)
    await eventually(async () => expect((await get('/users/nulls')).status).toBe(200))
    const { events } = JSON.parse((await get('/users/nulls/journey')).text)
    expect(events[0].eventId).toMatch(/^[0-9a-f-]{36}$/)
    expect(events[0].occurredAt).toBe(events[0].receivedAt)
  })

  it('may have an id of 256 characters that take two units each, whose page opens', async () => {
    const userId = '😀'.repeat(256)
    expect((await send(JSON.stringify(event({ userId, sessionId: userId })))).status).toBe(202)
    const address = `/users/${encodeURIComponent(userId)}/journey?session=${encodeURIComponent(userId)}`
    await eventually(async () => {
      const response = await fetch(server.url + address, { headers: { cookie, accept: 'text/html' } })
      expect(response.status).toBe(200)
      expect(await response.text()).not.toContain('No events match')
    })
  })

  it.each(['.', '..'])('may not have the id %j, which no address can spell', async (userId) => {
    const answer = await send(JSON.stringify(event({ userId })))
    expect(answer.status).toBe(400)
  })

  it('are told apart by all of their Idempotency-Key', async () => {
    const ids = await Promise.all(
      ['a', 'b', 'b'].map(async (end) => {
        const answer = await send(JSON.stringify(event()), { 'idempotency-key': 'k'.repeat(300) + end })
        return ((await answer.json()) as { eventIds: string[] }).eventIds[0]
      }),
    )
    expect(ids[0]).not.toBe(ids[1])
    expect(ids[1]).toBe(ids[2])
  })
})

describe('many questions in one request', () => {
  const batch = (count: number) => {
    const inputs = Object.fromEntries(Array.from({ length: count }, (_, index) => [index, {}]))
    return get(
      `/trpc/${Array(count).fill('stats.overview').join(',')}?batch=1&input=${encodeURIComponent(JSON.stringify(inputs))}`,
    )
  }

  it('are answered up to 20', async () => {
    const { status, text } = await batch(20)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toHaveLength(20)
  })

  it('are refused above, since answering them would hold up everybody else', async () => {
    expect((await batch(21)).status).toBe(400)
  })

  it('are split by the typed client', async () => {
    const client = createVeritasClient({ url: server.url })
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.auth.session.query()))
    expect(answers).toHaveLength(50)
  })
})

describe('a body that is refused by its length on a connection that is to close', () => {
  // As nginx asks, unless it is told otherwise: it shows an answer only if it can send all of the body.
  it.each(['HTTP/1.0', 'HTTP/1.1'])('is read to its end, so that the answer arrives (%s)', async (version) => {
    const { hostname, port } = new URL(server.url)
    const bytes = 12_000_000
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    let answer = ''
    const ended = new Promise<void>((resolve, reject) => {
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text
      })
      socket.once('end', resolve)
      socket.once('error', reject)
    })
    socket.write(`POST /events ${version}\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`)
    await eventually(async () => expect(answer).toMatch(/^HTTP\/1\.1 413 .*"ok":false.*\}$/s))
    const part = Buffer.alloc(bytes / 100)
    for (let sent = 0; sent < bytes; sent += part.length)
      await new Promise<void>((resolve, reject) => {
        socket.write(part, (error) => (error ? reject(error) : resolve()))
      })
    await ended
    socket.destroy()
  })
})

describe('clients that leave at once', () => {
  it.each(['CONNECT a:1', 'GET /', 'POST /events', 'OPTIONS *', 'BREW /'])('%s: the server stays', async (line) => {
    for (let count = 0; count < 200; count++)
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
        socket.on('close', () => resolve())
        socket.write(`${line} HTTP/1.1\r\nhost: a\r\n\r\n`, () => {
          if (count % 2) socket.resetAndDestroy()
          else setImmediate(() => socket.resetAndDestroy())
        })
      })
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200)
  })
})
