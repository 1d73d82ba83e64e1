import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, it, vi } from 'vitest'
import type { AppError } from '../errors.ts'
import { readBody } from './body.ts'

const MB = 1024 * 1024
const limits = { maxBytes: 4 * MB, timeoutMs: 60_000 }

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** Else what is held would be counted with what is only not swept yet. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

async function listen(): Promise<number> {
  const server = createServer((req, res) => {
    readBody(req, limits).then(
      (body) => res.end(String(body.length)),
      (error: AppError) => res.writeHead(error.status, { 'retry-after': String(error.retryAfterSeconds) }).end(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

it('holds no more of bodies that are on their way than it may, and takes small ones all the same', async () => {
  const port = await listen()
  const sockets: Socket[] = []
  cleanUp.push(() => sockets.forEach((socket) => void socket.destroy()))
  let refused = 0
  const before = process.memoryUsage().arrayBuffers
  // Each stops just before its end.
  for (let i = 0; i < 120; i++) {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (answer) => {
      expect(String(answer)).toMatch(/^HTTP\/1.1 429 [\s\S]*retry-after: [1-5]\r\n/i)
      refused++
    })
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${4 * MB}\r\n\r\n`)
    await new Promise((resolve) => socket.write(Buffer.alloc(4 * MB - 1), resolve))
  }
  await vi.waitFor(() => expect(refused).toBeGreaterThanOrEqual(50), 20_000)
  expect(refused).toBeLessThan(70)
  collectGarbage()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(320 * MB)

  const small = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x'.repeat(1000) })
  expect([small.status, await small.text()]).toEqual([200, '1000'])

  for (const socket of sockets) socket.destroy()
  await vi.waitFor(async () => {
    const large = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x'.repeat(3 * MB) })
    expect([large.status, await large.text()]).toEqual([200, String(3 * MB)])
  }, 20_000)
})
