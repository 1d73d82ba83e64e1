import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const ANSWER_BYTES = 100_000
/** Of a journey's answer beside its events: sessions, site, freshness. */
const BESIDE_BYTES = 20_000
const ids = Array.from({ length: 30 }, (_, number) => `e${number}`)

let server: TestServer
let cookie: string

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'], env: { ANSWER_BYTES: String(ANSWER_BYTES) } })
  cookie = await signUpOwner(server.url)
  const events = ids.map((eventId, number) => ({
    eventId,
    userId: 'large',
    sessionId: 's1',
    type: 'page_view',
    occurredAt: Date.UTC(2026, 10, 20) + number,
    payload: { url: '/', text: 'x'.repeat(30_000) },
  }))
  const response = await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(events) })
  expect(response.status).toBe(202)
  await eventually(async () => {
    const profile = await fetch(`${server.url}/users/large`, { headers: { cookie } })
    expect(await profile.json()).toMatchObject({ totalEvents: 30 })
  })
})
afterAll(() => server.stop())

it.each(['asc', 'desc'])('answers with no more than it may, and its cursors lead to every event: %s', async (order) => {
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const path = `/users/large/journey?limit=1000&order=${order}${cursor && `&cursor=${cursor}`}`
    const text = await (await fetch(server.url + path, { headers: { cookie } })).text()
    expect(text.length).toBeLessThan(ANSWER_BYTES + BESIDE_BYTES)
    const page = JSON.parse(text) as { events: { eventId: string }[]; nextCursor: string | null }
    expect(page.events).toHaveLength(3)
    seen.push(...page.events.map((event) => event.eventId))
    cursor = page.nextCursor
  }
  expect(seen).toEqual(order === 'asc' ? ids : [...ids].reverse())
})

it('divides what an answer may have among the questions of one request', async () => {
  const input = { '0': { userId: 'large', limit: 1000 } }
  for (let number = 1; number < 10; number++) Object.assign(input, { [number]: input['0'] })
  const names = Array(10).fill('journey.byUser').join(',')
  const response = await fetch(
    `${server.url}/trpc/${names}?batch=1&input=${encodeURIComponent(JSON.stringify(input))}`,
    { headers: { cookie } },
  )
  expect(response.status).toBe(200)
  const answers = (await response.json()) as { result: { data: { events: unknown[]; nextCursor: string | null } } }[]
  expect(answers).toHaveLength(10)
  for (const { result } of answers) {
    expect(result.data.events).toHaveLength(1)
    expect(result.data.nextCursor).not.toBeNull()
  }
})
