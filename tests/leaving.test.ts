import { readdir } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

let server: TestServer
let cookie: string

const DAY_MS = 86_400_000
const DAYS = 3000
const lastDay = Date.UTC(2026, 10, 20, 12)

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'], env: { LOG_LEVEL: 'debug', SHUTDOWN_TIMEOUT_MS: '120000' } })
  cookie = await signUpOwner(server.url)
  // A page of more than a megabyte, which takes a while to make and to send.
  for (let first = 0; first < DAYS; first += 1000) {
    const events = Array.from({ length: 1000 }, (_, index) => ({
      userId: `u-${index % 50}`,
      sessionId: `s-${first + index}`,
      type: 'page_view',
      payload: { url: '/' },
      occurredAt: new Date(lastDay - (first + index) * DAY_MS).toISOString(),
    }))
    expect((await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(events) })).status).toBe(202)
  }
  await eventually(async () => {
    const { bufferSize } = (await (await fetch(`${server.url}/health`)).json()) as { bufferSize: number }
    expect(bufferSize).toBe(0)
  })
})
afterAll(() => server.stop())

const day = (at: number) => new Date(at).toISOString().slice(0, 10)
const path = `/dashboard?from=${day(lastDay - (DAYS - 1) * DAY_MS)}&to=${day(lastDay)}`

/** Reads the page and goes away: so long after asking, or after so many bytes of the answer. */
function leave(when: { afterMs: number } | { afterBytes: number }): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0
    const headers = { cookie, accept: 'text/html', 'accept-encoding': 'gzip' }
    const req = get(server.url + path, { headers, agent: new Agent() }, (res) => {
      res.on('error', () => {})
      res.on('data', (part: Buffer) => {
        bytes += part.length
        if ('afterBytes' in when && bytes >= when.afterBytes) req.destroy()
      })
    })
    req.on('error', () => {}).on('close', () => resolve())
    if ('afterMs' in when) setTimeout(() => req.destroy(), when.afterMs)
  })
}

/** Waits until the server has said nothing for a second: it is done with all who left, however slow the machine. */
async function quiet(): Promise<void> {
  await eventually(async () => {
    const before = server.output()
    await sleep(1000)
    expect(server.output()).toBe(before)
  })
}

it('a reader who goes away is no failure of ours, whenever that is', async () => {
  await (await fetch(server.url + path, { headers: { cookie, accept: 'text/html' } })).text()
  expect(server.problems()).toEqual([])
  for (let afterMs = 1; afterMs < 400; afterMs = Math.ceil(afterMs * 1.25)) await leave({ afterMs })
  for (const afterBytes of [1, 10_000, 40_000]) await leave({ afterBytes })
  await Promise.all(Array.from({ length: 20 }, (_, index) => leave({ afterMs: index * 20 })))
  await quiet()
  expect(server.problems()).toEqual([])
  expect(server.output()).toContain('the reader left')
  expect((await fetch(server.url + path, { headers: { cookie, accept: 'text/html' } })).status).toBe(200)
})

it('a file whose reader leaves is closed', async () => {
  const openFiles = async () => (await readdir(`/proc/${server.pid}/fd`)).length
  await quiet()
  const before = await openFiles()
  for (let count = 0; count < 100; count++) {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
    socket.write('GET /api-docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: shop\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    socket.resetAndDestroy()
  }
  await eventually(async () => expect(await openFiles()).toBeLessThan(before + 20))
  expect(server.problems()).toEqual([])
})

it.each([
  ['bytes=0-3', 206, '<svg'],
  ['bytes=-7', 206, '/svg>\n'],
  ['bytes=50-10', 416, ''],
  ['bytes=0-99999999999999999999', 206, '<svg'],
  ['chars=0-3', 200, '<svg'],
  ['bytes=99999-', 416, ''],
])('the range %s of a file is answered with %s', async (range, status, part) => {
  const response = await fetch(`${server.url}/favicon.svg`, { headers: { range } })
  expect(response.status).toBe(status)
  const text = await response.text()
  expect(range === 'bytes=-7' ? `/${text.split('/').at(-1)}` : text.slice(0, part.length)).toBe(part)
  expect(server.problems()).toEqual([])
})

it('and the server ends as soon as ever', async () => {
  for (let index = 0; index < 5; index++) void leave({ afterMs: 50 + 20 * index })
  await sleep(60)
  const started = performance.now()
  expect(await server.stop()).toBe(0)
  // Far less than the minute that those would get who go on reading.
  expect(performance.now() - started).toBeLessThan(30_000)
})
