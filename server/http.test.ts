import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createHttpServer } from './http.ts'
import { sendJson } from './ingest/answer.ts'
import { readBody } from './ingest/body.ts'
import { createBudget } from './ingest/budget.ts'
import { createTelemetry } from './telemetry/telemetry.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A server of 16 connections, two of them kept for /health, that says when a post begins, and answers it when it may. */
async function listen(begun: EventEmitter, mayAnswer = Promise.resolve()): Promise<number> {
  const budget = createBudget(1024 * 1024)
  const server = createHttpServer(
    {
      async ingest(req, res) {
        begun.emit('post')
        await readBody(req, { maxBytes: 1000, timeoutMs: 60_000, minBytesPerSecond: 1, holding: budget.hold() })
        begun.emit('read')
        await mayAnswer
        sendJson(res, 202, {})
      },
      health: (_req, res) => sendJson(res, 200, {}),
      ...{ trpc: neverAsked, rest: neverAsked, apiDocs: neverAsked, pages: neverAsked },
    },
    {
      telemetry: createTelemetry({ logLevel: 'silent' }),
      routeOf: () => '/',
      connections: { max: 16, maxPipelined: 10, headersTimeoutMs: 60_000, idleTimeoutMs: 60_000 },
      ...{ publicUrl: undefined, trustProxy: false },
    },
  )
  cleanUp.push(() => server.close(0))
  return server.listen(0, '127.0.0.1')
}

function neverAsked(): void {
  expect.unreachable()
}

const half = 'POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx'
const whole = 'POST /events HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\nContent-Length: 2\r\n\r\n[]'
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

it('answers events and /health while many times as many posts as there may be connections are half sent', async () => {
  const begun = new EventEmitter()
  const port = await listen(begun)
  const attackers = new Set<Socket>()
  cleanUp.push(() => {
    for (const socket of attackers) socket.destroy()
  })
  for (let round = 0; round < 5; round++) {
    for (let count = 0; count < 40; count++) {
      const socket = connect(port, '127.0.0.1', () => socket.write(half)).on('error', () => {})
      attackers.add(socket)
      // Taken, answered or closed.
      await Promise.race([once(begun, 'post'), once(socket, 'data'), once(socket, 'close')])
    }
    // A moment after all came at once it may be sent again.
    await expect.poll(() => status(port, whole), { timeout: 20_000 }).toBe('202')
    await expect.poll(() => status(port, get('/health')), { timeout: 20_000 }).toBe('200')
  }
})

it('answers all but /health with 503 in JSON, and ends the connection, where all others are at work', async () => {
  const begun = new EventEmitter()
  let letAnswer = () => {}
  const port = await listen(
    begun,
    new Promise((resolve) => {
      letAnswer = resolve
    }),
  )
  cleanUp.push(() => letAnswer())
  const posts: Promise<string>[] = []
  for (let count = 0; count < 14; count++) {
    const isRead = once(begun, 'read')
    posts.push(status(port, whole))
    await isRead
  }
  for (const request of [
    whole,
    get('/users/ana'),
    get('/dashboard'),
    get('/api-docs.json'),
    get('/trpc/a'),
    get('/healthy'),
  ]) {
    const [head, body] = (await answerOf(port, request)).split('\r\n\r\n')
    expect(head, request).toMatch(/^HTTP\/1.1 503 /)
    expect(head).toMatch(/^retry-after: [1-5]\r?$/im)
    expect(head).toMatch(/^connection: close\r?$/im)
    expect(head).toMatch(/^content-type: application\/json/im)
    expect(JSON.parse(body!)).toMatchObject({
      ok: false,
      message: expect.stringContaining('as many connections as it may'),
    })
    if (request === whole) expect(head).toMatch(/^access-control-allow-origin: /im)
    expect(await status(port, get('/health'))).toBe('200')
  }
  letAnswer()
  expect(await Promise.all(posts)).toEqual(Array(14).fill('202'))
  expect(await status(port, whole)).toBe('202')
})

/** All of the answer, once the server has ended the connection. */
async function answerOf(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(request)).on('error', () => {})
  let answer = ''
  socket.on('data', (part) => {
    answer += part
  })
  await once(socket, 'close')
  return answer
}

/** Of the answer, "closed" for none. */
async function status(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(request)).on('error', () => {})
  const part = await Promise.race([once(socket, 'data'), once(socket, 'close')])
  socket.destroy()
  return /^HTTP\/1.1 (\d+)/.exec(String(part[0]))?.[1] ?? 'closed'
}
