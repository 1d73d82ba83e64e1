import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'
import { eventually, owner, signUpOwner } from './shop.ts'

let server: TestServer
let cookie: string

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'] })
  cookie = await signUpOwner(server.url)
})
afterAll(() => server.stop())

const signIn = '/api/auth/sign-in/email'

async function send(path: string, body: BodyInit | null, headers: Record<string, string> = {}, method = 'POST') {
  const response = await fetch(server.url + path, { method, body, headers, redirect: 'manual' })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, text, body: isJson ? (JSON.parse(text) as { message?: string }) : null }
}

describe('a body that no account address takes', () => {
  const json = { 'content-type': 'application/json' }
  const nested = (open: string, close: string) => open.repeat(5000) + close.repeat(5000)

  it.each<[string, BodyInit | null, Record<string, string>, number, RegExp]>([
    ['5,000 arrays in one another', nested('[', ']'), json, 400, /nests deeper/],
    ['5,000 objects in a field', `{"email":${nested('{"a":', '}').replace('}', '1}')}}`, json, 400, /nests deeper/],
    ['broken JSON', '{"email":', json, 400, /not valid JSON/],
    ['an array', '[]', json, 400, /object/],
    ['null', 'null', json, 400, /object/],
    ['a text', '"email"', json, 400, /object/],
    ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), json, 400, /UTF-8/],
    ['no gzip', new Uint8Array([0x1f, 0x8b, 1, 2, 3]), json, 400, /gzip/],
    ['a poisoned object', '{"email":"a@b.example","password":"p","__proto__":{"role":"owner"}}', json, 401, /match/],
    ['70 KB', JSON.stringify({ email: 'x'.repeat(70_000) }), json, 413, /65536 bytes/],
    [
      'a form',
      'email=a%40b.example',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      /application\/json/,
    ],
    ['a text of no kind', '{}', { 'content-type': 'text/plain' }, 415, /application\/json/],
    ['bytes of an unnamed kind', new Uint8Array([0x7b, 0x7d]), {}, 415, /application\/json/],
    ['a kind that only begins like JSON', '{}', { 'content-type': 'application/jsonp' }, 415, /application\/json/],
    ['nothing at all', null, json, 400, /email/],
  ])('is told why: %s', async (_name, body, headers, status, message) => {
    const before = server.problems()
    const answer = await send(signIn, body, headers)
    expect(answer.status).toBe(status)
    expect(answer.body?.message).toMatch(message)
    expect(answer.text).not.toMatch(/node_modules|at .*\.(ts|js):|SyntaxError/)
    expect(server.problems()).toEqual(before)
  })

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset="utf-8"'])(
    'may be called %s',
    async (type) => {
      const answer = await send(signIn, JSON.stringify(owner), { 'content-type': type })
      expect(answer.status).toBe(200)
    },
  )

  it('may be gzipped, and have blanks around its email', async () => {
    const body = gzipSync(JSON.stringify({ ...owner, email: `  ${owner.email.toUpperCase()}\n` }))
    expect((await send(signIn, body, { ...json, 'content-encoding': 'gzip' })).status).toBe(200)
  })

  it.each(['/api/auth/nothing', '/api/auth/sign-in'])('has nobody to read it at %s', async (path) => {
    expect(await send(path, '{}', json)).toMatchObject({ status: 404, body: { message: expect.any(String) } })
  })

  it('may be deep or broken at /trpc as little', async () => {
    for (const [body, status] of [
      [nested('[', ']'), 400],
      ['{', 400],
      [JSON.stringify({ email: 'x'.repeat(70_000) }), 413],
    ] as const) {
      const answer = await send('/trpc/auth.signIn', body, json)
      expect(answer.status).toBe(status)
      expect(answer.body).not.toBeNull()
    }
    expect((await send('/trpc/auth.signIn', 'email=1', { 'content-type': 'text/plain' })).status).toBe(415)
  })
})

describe('an unknown address', () => {
  const bytes = new TextEncoder().encode('{"type":"page_view"}')

  it.each(['/event', '/v1/track', '/dashboard', '/login', '/'])(
    'says so to bytes posted to %s that do not say what they are',
    async (path) => {
      for (const body of [bytes, null])
        expect(await send(path, body)).toMatchObject({
          status: 404,
          body: { ok: false, message: expect.stringContaining('/events') },
        })
    },
  )

  it('says so to a page on another site too, which asks first whether it may post', async () => {
    const headers = { origin: 'https://shop.example' }
    const asked = await fetch(`${server.url}/v1/track`, {
      method: 'OPTIONS',
      headers: {
        ...headers,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
    expect(asked.headers.get('access-control-allow-headers')).toBe('content-type')
    const json = { ...headers, 'content-type': 'application/json' }
    const posted = await fetch(`${server.url}/v1/track`, {
      method: 'POST',
      body: '{"type":"page_view"}',
      headers: json,
    })
    for (const answer of [asked, posted]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://shop.example')
      expect(answer.headers.get('vary')).toMatch(/Origin/i)
    }
    expect(posted.status).toBe(404)
    expect(await posted.json()).toMatchObject({ ok: false, message: expect.stringContaining('/events') })
  })
})

describe('ids in an address', () => {
  it('are trimmed as those of events are', async () => {
    const event = { userId: ' blank ', sessionId: ' s1 ', type: 'page_view', payload: { url: '/' } }
    expect((await send('/events', JSON.stringify(event))).status).toBe(202)
    const get = async (path: string) => (await fetch(server.url + path, { headers: { cookie } })).json()
    await eventually(async () => expect(await get('/users/%20blank%20')).toMatchObject({ userId: 'blank' }))
    expect(await get('/users/blank%20/journey?sessionId=%20s1')).toMatchObject({ userId: 'blank', count: 1 })
    expect(await get('/users/blank%20/sessions')).toMatchObject({ userId: 'blank', totalSessions: 1 })
  })
})
