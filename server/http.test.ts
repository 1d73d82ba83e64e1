import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createHttpServer } from './http.ts'
import { sendJson } from './ingest/answer.ts'
import { readBody } from './ingest/body.ts'
import { createBudget } from './ingest/budget.ts'
import { createTelemetry } from './telemetry.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A server of 16 connections, two of them kept for /health, that says when a post begins. */
async function listen(begun: EventEmitter): Promise<number> {
  const budget = createBudget(1024 * 1024)
  const server = createHttpServer(
    {
      async ingest(req, res) {
        begun.emit('post')
        await readBody(req, { maxBytes: 1000, timeoutMs: 60_000, minBytesPerSecond: 1, holding: budget.hold() })
        sendJson(res, 202, {})
      },
      health: (_req, res) => sendJson(res, 200, {}),
      ...{ trpc: () => {}, rest: () => {}, apiDocs: () => {}, pages: () => {} },
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

const half = 'POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx'
const whole = 'POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]'
const health = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'

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
    await expect.poll(() => status(port, health), { timeout: 20_000 }).toBe('200')
  }
})

/** Of the answer, "closed" for none. */
async function status(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(request)).on('error', () => {})
  const part = await Promise.race([once(socket, 'data'), once(socket, 'close')])
  socket.destroy()
  return /^HTTP\/1.1 (\d+)/.exec(String(part[0]))?.[1] ?? 'closed'
}
