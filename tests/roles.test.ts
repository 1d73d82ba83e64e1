import { beforeAll, describe, expect, it } from 'vitest'
import type { Overview } from '../trpc/schema/stats.ts'
import { startServer, type TestServer, temporaryFolder } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const dataDir = temporaryFolder()
let ingest: TestServer
let web: TestServer
let cookie: string

beforeAll(async () => {
  // Nothing is stored by size or age, so that it waits for pages to tell of it.
  const slow = { FLUSH_EVENTS: '10000', FLUSH_INTERVAL_MS: '60000' }
  const start = (env: Record<string, string>) => startServer({ dataDir, args: ['--no-demo'], env })
  ;[ingest, web] = await Promise.all([start({ ROLE: 'ingest', ...slow }), start({ ROLE: 'web' })])
  cookie = await signUpOwner(web.url)
})

function post(url: string, from: number, count: number): Promise<Response> {
  const events = Array.from({ length: count }, (_, index) => ({
    eventId: `e-${from + index}`,
    userId: 'u',
    sessionId: 's',
    type: 'page_view',
    payload: { url: '/' },
  }))
  const headers = { origin: 'https://shop.example' }
  return fetch(`${url}/events`, { method: 'POST', headers, body: JSON.stringify(events) })
}

async function healthOf({ url }: TestServer): Promise<unknown> {
  return (await fetch(`${url}/health`)).json()
}

async function stats(): Promise<Overview> {
  const response = await fetch(`${web.url}/stats`, { headers: { cookie } })
  expect(response.status).toBe(200)
  return (await response.json()) as Overview
}

describe('two processes, one for events and one for questions', () => {
  it('say which of them does what', async () => {
    const elsewhere = await post(web.url, 0, 1)
    expect(elsewhere.status).toBe(503)
    expect(elsewhere.headers.get('retry-after')).toBe('5')
    expect(elsewhere.headers.get('access-control-allow-origin')).toBe('https://shop.example')
    expect(await elsewhere.json()).toMatchObject({ ok: false, message: expect.stringContaining('ROLE=ingest') })
    for (const path of ['/', '/stats', '/trpc/stats.overview', '/api-docs.json', '/login']) {
      const response = await fetch(ingest.url + path)
      expect(response.status, path).toBe(404)
      expect(await response.json(), path).toMatchObject({ message: expect.stringContaining('ROLE=web') })
    }
    for (const [server, role] of [
      [ingest, 'ingest'],
      [web, 'web'],
    ] as const) {
      await eventually(async () =>
        expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ status: 'ok', role }),
      )
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200)
    }
    expect((await fetch(`${web.url}/login`, { headers: { accept: 'text/html' } })).status).toBe(200)
  })

  it('show on pages what waits in the log of the other', async () => {
    const before = Date.now()
    expect((await post(ingest.url, 0, 7)).status).toBe(202)
    await eventually(async () => expect((await stats()).freshness.waiting).toBe(7))
    const { totalEvents, freshness } = await stats()
    expect(totalEvents).toBe(0)
    expect(Date.parse(freshness.completeTo)).toBeGreaterThanOrEqual(before - 1)
    expect(Date.parse(freshness.completeTo)).toBeLessThan(Date.now())
    expect(await (await fetch(`${web.url}/health`)).json()).toMatchObject({ bufferSize: 0, waitingElsewhere: 7 })
  })

  it('still tell what waits when the process that took it is killed, and store it once it is back', async () => {
    expect((await post(ingest.url, 7, 5)).status).toBe(202)
    await eventually(async () => expect((await stats()).freshness.waiting).toBe(12))
    await ingest.stop('SIGKILL')
    expect((await stats()).freshness.waiting).toBe(12)
    const trouble = expect.stringContaining('12 events wait in its log')
    await eventually(async () =>
      expect(await healthOf(web)).toMatchObject({ status: 'degraded', waitingElsewhere: 12, troubles: [trouble] }),
    )
    const next = await startServer({ dataDir, args: ['--no-demo'], env: { ROLE: 'ingest' } })
    await eventually(async () => expect(await stats()).toMatchObject({ totalEvents: 12, freshness: { waiting: 0 } }))
    await eventually(async () => expect(await healthOf(web)).toMatchObject({ status: 'ok', troubles: [] }))
    expect(await next.stop()).toBe(0)
    expect(await web.stop()).toBe(0)
  })
})
