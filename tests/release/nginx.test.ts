import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { end } from '../../scripts/launch.ts'
import { describeWith } from '../needs.ts'
import { startServer, type TestServer } from '../server.ts'
import { eventually } from '../shop.ts'
import { withResolvers } from '../with-resolvers.ts'
import { type Box, createBox } from './box.ts'
import { nginx } from './programs.ts'

const MAX_BODY_BYTES = 100_000
let box: Box
let proxy: ChildProcess
const upstreams: Server[] = []

/** What came back from nginx. */
interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

function send(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string | Buffer; onFirstByte?: () => void } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const { headers = { 'x-veritas-origin': box.originSecret }, body, onFirstByte = () => {} } = options
    const req = request({ host: '127.0.0.1', port: box.listenPort, method, path, headers, agent: false }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (part: string) => {
        if (text === '') onFirstByte()
        text += part
      })
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, body: text }))
    })
    req.on('error', reject)
    req.end(body)
  })
}

const secret = () => ({ 'x-veritas-origin': box.originSecret })

/** Answers on the port where nginx looks for the server. */
async function upstream(handle: (req: IncomingMessage, res: ServerResponse, body: string) => void): Promise<Server> {
  const server = createServer((req, res) => {
    let body = ''
    req.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    req.on('end', () => handle(req, res, body))
  })
  await new Promise<void>((resolve) => server.listen(box.port, '127.0.0.1', resolve))
  upstreams.push(server)
  return server
}

describeWith(nginx, 'nginx as the box has it', () => {
  beforeAll(async () => {
    box = await createBox({ INGEST_MAX_BODY_BYTES: String(MAX_BODY_BYTES) })
    // Renders the settings and has nginx itself check them.
    const { code, output } = await box.install()
    if (code !== 0) throw new Error(output)
    const args = ['-c', box.path('etc/nginx/nginx.conf'), '-g', 'daemon off;']
    proxy = spawn(nginx.path, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    await eventually(async () => expect((await send('GET', '/health')).status).toBe(404))
  })
  afterEach(async () => {
    for (const server of upstreams.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
  afterAll(async () => {
    if (proxy) await end(proxy)
    await box?.close()
  })

  describe('in front of a real server', () => {
    let server: TestServer
    beforeAll(async () => {
      const env = { PORT: String(box.port), TRUST_PROXY: 'true', INGEST_MAX_BODY_BYTES: String(MAX_BODY_BYTES) }
      server = await startServer({ args: ['--no-demo'], env })
    })
    afterAll(() => server?.stop())

    it.each([
      ['no secret', {}],
      ['another secret', { 'x-veritas-origin': 'a-secret-that-nobody-knows-here' }],
      ['the secret in other letters', { 'x-veritas-origin': 'A-SECRET-THAT-ONLY-CLOUDFRONT-KNOWS' }],
      ['more than the secret', { 'x-veritas-origin': 'a-secret-that-only-CloudFront-knows2' }],
    ])('lets nobody in with %s', async (_, headers) => {
      for (const [method, path] of [
        ['GET', '/login'],
        ['POST', '/events'],
        ['GET', '/health/live'],
      ] as const) {
        const { status, body } = await send(method, path, { headers: headers as Record<string, string>, body: '{}' })
        expect(status, path).toBe(403)
        expect(JSON.parse(body)).toMatchObject({ ok: false, error: 'Forbidden' })
      }
    })

    it('passes events and pages, and tells nobody what /health knows', async () => {
      const event = { userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } }
      for (const path of ['/events', '/events/', '//events', '/events?x=1']) {
        const { status, body } = await send('POST', path, { headers: secret(), body: JSON.stringify(event) })
        expect(status, path).toBe(202)
        expect(JSON.parse(body)).toMatchObject({ count: 1 })
      }
      const page = await send('GET', '/signup', { headers: { ...secret(), accept: 'text/html' } })
      expect(page).toMatchObject({ status: 200, body: expect.stringContaining('Veritas') })
      for (const path of ['/health', '/health/', '/health/ready', '//health', '/metrics', '/health?x', '/%68ealth'])
        expect(await send('GET', path), path).toMatchObject({
          status: 404,
          body: expect.stringContaining('nothing here'),
        })
      expect((await send('GET', '/health/live')).status).toBe(200)
    })

    it('has the same limit for bodies as the server, and tells a storefront of another origin', async () => {
      const origin = 'https://shop.example'
      const post = (bytes: number, path = '/events') =>
        send('POST', path, { headers: { ...secret(), origin }, body: 'x'.repeat(bytes) })
      // The server itself finds these to be no JSON.
      expect((await post(MAX_BODY_BYTES)).status).toBe(400)
      const large = await post(MAX_BODY_BYTES + 1)
      expect(large.status).toBe(413)
      expect(large.headers['access-control-allow-origin']).toBe(origin)
      expect(JSON.parse(large.body)).toMatchObject({
        ok: false,
        message: expect.stringContaining(`${MAX_BODY_BYTES} bytes, a form 65536`),
      })
      expect((await post(64 * 1024 + 1, '/trpc/stats.overview')).status).toBe(413)
    })
  })

  it('hands on who it was, and not the secret', async () => {
    let seen: IncomingMessage['headers'] = {}
    await upstream((req, res) => {
      seen = req.headers
      res.end('{}')
    })
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7', 'x-forwarded-proto': 'http' }
    await send('GET', '/login', { headers: { ...secret(), ...forwarded, host: 'shop.example' } })
    expect(seen).toMatchObject({ 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', host: 'shop.example' })
    expect(JSON.stringify(seen)).not.toContain(box.originSecret)
    await send('POST', '/events', { headers: { ...secret(), ...forwarded, 'idempotency-key': 'mine' }, body: '[]' })
    expect(seen).toMatchObject({ 'x-forwarded-for': '203.0.113.7', 'idempotency-key': 'mine' })
    expect(JSON.stringify(seen)).not.toContain(box.originSecret)
  })

  it('sends events again when the server closes instead of answering, as the same request', async () => {
    const seen: { key: unknown; body: string }[] = []
    await upstream((req, res, body) => {
      seen.push({ key: req.headers['idempotency-key'], body })
      // In the middle of what it was asked, as a process does that is ended by force.
      if (seen.length === 1) req.socket.destroy()
      else res.writeHead(202).end('{"count":1}')
    })
    // Larger than what nginx keeps in memory.
    const body = JSON.stringify({ type: 'page_view', padding: 'x'.repeat(90_000) })
    expect((await send('POST', '/events', { headers: secret(), body })).status).toBe(202)
    expect(seen).toHaveLength(2)
    expect(seen[1]).toEqual(seen[0])
    expect(seen[0]!.key).toMatch(/^[0-9a-f]{32}$/)
    expect(seen[0]!.body).toBe(body)
    await send('POST', '/events', { headers: secret(), body })
    expect(seen[2]!.key).not.toBe(seen[0]!.key)
  })

  it('stores events without an id once, although the server was asked twice', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    let asked = 0
    await upstream(async (req, res, body) => {
      asked++
      const headers = { 'idempotency-key': String(req.headers['idempotency-key']) }
      const answer = await fetch(`${server.url}/events`, { method: 'POST', headers, body })
      // Stored, and nobody is told.
      if (asked === 1) req.socket.destroy()
      else res.writeHead(answer.status).end(await answer.text())
    })
    const events = [1, 2, 3].map(() => ({ userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } }))
    const answer = await send('POST', '/events', { headers: secret(), body: JSON.stringify(events) })
    expect(answer.status).toBe(202)
    expect(asked).toBe(2)
    await eventually(async () => {
      const health = (await (await fetch(`${server.url}/health`)).json()) as { events: Record<string, number> }
      expect(health.events).toMatchObject({ stored: 3, duplicate: 3 })
    })
    await server.stop()
  })

  it('does not send a form again that may have been taken', async () => {
    let asked = 0
    await upstream((req) => {
      asked++
      req.socket.destroy()
    })
    const answer = await send('POST', '/login', {
      headers: { ...secret(), origin: 'https://shop.example' },
      body: 'a=1',
    })
    expect(asked).toBe(1)
    expect(answer.status).toBe(503)
    expect(answer.headers).toMatchObject({ 'retry-after': '5', 'access-control-allow-origin': 'https://shop.example' })
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, retryAfter: 5 })
  })

  it('tells a storefront to come back while nobody is there', async () => {
    const answer = await send('POST', '/events', { headers: secret(), body: '{}' })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  })

  it('passes answers to events on as they come', async () => {
    const { promise: begun, resolve: begin } = withResolvers()
    await upstream(async (_, res) => {
      res.writeHead(202)
      res.write('{"count"')
      await begun
      res.end(':1}')
    })
    // Held back until its end, it would never have one.
    const { body } = await send('POST', '/events', { headers: secret(), body: '{}', onFirstByte: begin })
    expect(body).toBe('{"count":1}')
    // Small ones come at once either way; large ones would otherwise go by way of the disk.
    const [location] = /location = \/events \{.*?\n {4}\}/s.exec(box.read('etc/nginx/nginx.conf')) ?? ['']
    expect(location).toContain('proxy_buffering off;')
  })

  it('writes down failures alone, without queries, addresses and keys', async () => {
    await send('GET', '/users/lena%40nordlicht.example/journey?x=1')
    await send('GET', '/metrics?token=hidden', { headers: { ...secret(), 'x-forwarded-for': '203.0.113.9' } })
    await sleep(100)
    // Flushed when it reads its settings again.
    proxy.kill('SIGUSR1')
    let log = ''
    // Each of its workers flushes by itself.
    await eventually(async () => {
      log = box.read('var/log/nginx/veritas.log')
      expect(log).toContain('"path":"/users/…"')
      expect(log).toContain('"path":"/metrics"')
      expect(log).toMatch(/\n$/)
    })
    for (const line of log.trim().split('\n')) expect(JSON.parse(line).status).toBeGreaterThanOrEqual(400)
    // Ids of users are often their e-mails.
    for (const hidden of ['hidden', '203.0.113', 'lena', box.originSecret]) expect(log).not.toContain(hidden)
  })
})
