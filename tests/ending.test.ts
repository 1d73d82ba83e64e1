import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'
import { eventually } from './shop.ts'

/** The server tells by 100 Continue that it has read it. */
const head = (path: string, type: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nhost: shop\r\nexpect: 100-continue\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
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

/** So long that nobody could take it for the moment that clients who stopped are given. */
const SHUTDOWN_TIMEOUT_MS = '120000'

it.each([
  ['a body of events', `${head('/events', json, 100)}[{"us`, /100 Continue/],
  ['a body of events that was answered with 408', `${head('/events', json, 100)}[{"us`, / 408 /],
  ['a body that was refused by its length', `${head('/events', json, 50_000_000)}[{"us`, / 413 /],
  ['a login', `${head('/api/auth/sign-in/email', json, 100)}{"em`, /100 Continue/],
  ['a form', `${head('/login', 'application/x-www-form-urlencoded', 100)}email=`, /100 Continue/],
  ['a question', `${head('/trpc/auth.signIn', json, 100)}{"em`, /100 Continue/],
  ['a head', 'GET /health/live HTTP/1.1\r\nhost: sh', null],
  ['nothing', '', null],
])('a client that stops in the middle of %s does not hold the end up', async (_name, bytes, sees) => {
  const env = { SHUTDOWN_TIMEOUT_MS, ...(sees?.test(' 408 ') && { INGEST_BODY_TIMEOUT_MS: '300' }) }
  const server = await startServer({ args: ['--no-demo'], env })
  const clients = await Promise.all(Array.from({ length: 3 }, () => talking(server, bytes)))
  if (sees) for (const { answer } of clients) await eventually(async () => expect(answer()).toMatch(sees))
  else await sleep(200)
  const started = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - started).toBeLessThan(30_000)
  for (const { socket } of clients) socket.destroy()
})

it('a client that goes on sending is waited for', async () => {
  const env = { SHUTDOWN_TIMEOUT_MS, INGEST_BODY_TIMEOUT_MS: '60000' }
  const server = await startServer({ args: ['--no-demo'], env })
  const body = JSON.stringify({ userId: 'slow', sessionId: 's', type: 'page_view', payload: { url: '/' } })
  const { socket, answer } = await talking(server, head('/events', json, body.length))
  await eventually(async () => expect(answer()).toContain('100 Continue'))
  const stopped = server.stop()
  // For longer than a client may be quiet, and never quiet.
  for (const character of body) {
    await sleep(30)
    socket.write(character)
  }
  expect(await stopped).toBe(0)
  expect(answer()).toMatch(/^HTTP\/1\.1 202 /m)
})
