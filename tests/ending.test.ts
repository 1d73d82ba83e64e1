import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'

const head = (path: string, type: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nhost: shop\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
const json = 'application/json'

/** A connection that has sent these bytes, and what it was answered. */
function talking(server: TestServer, bytes: string): Promise<{ socket: Socket; answer: () => string }> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      socket.write(bytes, () => resolve({ socket, answer: () => answer })),
    )
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    socket.on('error', () => {})
  })
}

it.each([
  ['a body of events', `${head('/events', json, 100)}[{"us`, 0],
  ['a body of events that was answered with 408', `${head('/events', json, 100)}[{"us`, 900],
  ['a body that was refused by its length', `${head('/events', json, 50_000_000)}[{"us`, 300],
  ['a login', `${head('/api/auth/sign-in/email', json, 100)}{"em`, 0],
  ['a form', `${head('/login', 'application/x-www-form-urlencoded', 100)}email=`, 0],
  ['a question', `${head('/trpc/auth.signIn', json, 100)}{"em`, 0],
  ['a head', 'GET /health/live HTTP/1.1\r\nhost: sh', 0],
  ['nothing', '', 0],
])('a client that stops in the middle of %s does not hold the end up', async (_name, bytes, afterMs) => {
  const server = await startServer({ args: ['--no-demo'], env: { INGEST_BODY_TIMEOUT_MS: '500' } })
  const clients = await Promise.all(Array.from({ length: 3 }, () => talking(server, bytes)))
  await sleep(100 + afterMs)
  const started = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - started).toBeLessThan(3500)
  for (const { socket } of clients) socket.destroy()
})

it('a client that goes on sending is waited for', async () => {
  const server = await startServer({ args: ['--no-demo'] })
  const body = JSON.stringify({ userId: 'slow', sessionId: 's', type: 'page_view', payload: { url: '/' } })
  const { socket, answer } = await talking(server, head('/events', json, body.length))
  await sleep(100)
  const stopped = server.stop()
  for (let at = 0; at < body.length; at += 10) {
    await sleep(250)
    socket.write(body.slice(at, at + 10))
  }
  expect(await stopped).toBe(0)
  expect(answer()).toMatch(/^HTTP\/1\.1 202 /)
})
