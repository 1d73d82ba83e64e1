import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { addDays } from '../server/analysis/zones.ts'
import { type DemoOptions, demoEvents } from '../server/demo/shop.ts'
import type { StoredEvent } from '../server/store/store.ts'
import type { Journey } from '../trpc/schema/journey.ts'
import type { Overview } from '../trpc/schema/stats.ts'
import type { UsersList } from '../trpc/schema/users.ts'
import { byCountThenType, dayIn, recount, recountUsers } from './recount.ts'
import { runServer, startServer, type TestServer, temporaryFolder } from './server.ts'
import { cookieOf } from './shop.ts'

const demoLogin = { email: 'demo@veritas.local', password: 'see-the-truth' }

let server: TestServer
let demo: DemoOptions
let events: StoredEvent[]
let cookie: string

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(demoLogin),
  })
  expect(response.status).toBe(200)
  return cookieOf(response)
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(server.url + path, { headers: { cookie } })
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

/** The figures of an answer, in the shape of a recount. */
function figuresOf(answer: Overview) {
  const { totalUsers, totalEvents, sessions, orderingSessions, orders, money, eventsByType, eventsByDay } = answer
  const days = new Map(eventsByDay.filter((day) => day.count > 0).map((day) => [day.date, day.count]))
  const counts = eventsByType.map(({ count }) => count)
  expect(counts).toEqual(counts.toSorted((a, b) => b - a))
  const types = eventsByType.toSorted(byCountThenType)
  return { totalUsers, totalEvents, sessions, orderingSessions, orders, money, eventsByType: types, eventsByDay: days }
}

beforeAll(async () => {
  const dataDir = temporaryFolder()
  // Killed in the middle and started again: everything below holds for what the two runs made together.
  const killed = await runServer({ dataDir, killAt: /60,000 of 200,000/ })
  expect(killed.code).toBeNull()
  server = await startServer({ dataDir })
  demo = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as DemoOptions
  events = [...demoEvents(demo)]
  cookie = await logIn(server.url)
})

describe('the seeded demo shop', () => {
  it('has the figures of a recount over its whole history', async () => {
    const answer = await get<Overview>('/stats')
    expect(events).toHaveLength(200_000)
    expect(figuresOf(answer)).toEqual(recount(events, demo.zone))
    expect(answer.site).toMatchObject({ name: 'Nordlicht Outdoor', timeZone: 'Europe/Berlin', currency: 'EUR' })
    expect(answer.avgEventsPerUser).toBe(40)
    // As many days as the demo has; whoever asks after midnight gets another one.
    const dates = answer.eventsByDay.map(({ date }) => date)
    expect(dates[0]).toBe(dayIn(demo.zone)(events[0]!.occurredAt))
    expect(dates.indexOf(dayIn(demo.zone)(demo.endsAt))).toBe(89)
  })

  it('has the figures of a recount over a month with a change of clocks', async () => {
    const lastDay = dayIn(demo.zone)(demo.endsAt)
    const [from, to] = [addDays(lastDay, -30), addDays(lastDay, -1)]
    const answer = await get<Overview>(`/stats?from=${from}&to=${to}`)
    expect(answer.eventsByDay).toHaveLength(30)
    expect(figuresOf(answer)).toEqual(recount(events, demo.zone, from, to))
    expect(answer.conversion).toBe(answer.orderingSessions / answer.sessions)
  })

  it('has the figures of a recount on each single day', async () => {
    const answer = await get<Overview>('/stats')
    for (const day of answer.days.filter((_, index) => index % 9 === 0)) {
      const { totalUsers, totalEvents, ...rest } = recount(events, demo.zone, day.date, day.date)
      const { eventsByDay: _, eventsByType: __, ...figures } = rest
      expect(day).toEqual({ date: day.date, users: totalUsers, events: totalEvents, ...figures })
    }
  })

  it('compares with the period before', async () => {
    const lastDay = dayIn(demo.zone)(demo.endsAt)
    const at = (daysAgo: number) => addDays(lastDay, -daysAgo)
    const answer = await get<Overview>(`/stats?from=${at(7)}&to=${at(1)}&compare=previous`)
    const before = recount(events, demo.zone, at(14), at(8))
    expect(answer.previous?.range).toEqual({ from: at(14), to: at(8) })
    expect(answer.previous?.totalEvents).toBe(before.totalEvents)
    expect(answer.previous?.money).toEqual(before.money)
    const previous = new Map(answer.eventsByType.map((type) => [type.type, type.previous]))
    for (const { type, count } of before.eventsByType) expect(previous.get(type)).toBe(count)
  })

  it('lists its users with the totals of a recount, in order', async () => {
    const users = recountUsers(events)
    for (const query of [
      'sort=totalEvents',
      'sort=lastActive&page=7',
      'sort=orders&order=desc',
      'sort=userId&page=50',
    ]) {
      const answer = await get<UsersList>(`/users?pageSize=100&${query}`)
      expect(answer.totalCount).toBe(5000)
      expect(answer.users).toHaveLength(100)
      for (const { userId, totalEvents, totalSessions, orders, firstActive, lastActive } of answer.users) {
        const { sessionIds: _, orderIds: __, ...expected } = { sessionIds: 0, orderIds: 0, ...users.get(userId)! }
        expect({ totalEvents, totalSessions, orders, firstActive, lastActive }).toEqual(expected)
      }
    }
    const most = [...users.values()].map((user) => user.totalEvents).sort((a, b) => b - a)
    const answer = await get<UsersList>('/users?pageSize=100&sort=totalEvents&order=desc')
    expect(answer.users.map((user) => user.totalEvents)).toEqual(most.slice(0, 100))
  })

  it('tells the whole journey of its most active user, page by page', async () => {
    const {
      users: [busiest],
    } = await get<UsersList>('/users?pageSize=1&sort=totalEvents&order=desc')
    const own = events.filter((event) => event.userId === busiest!.userId)
    const told: string[] = []
    let cursor: string | null = null
    do {
      const page: Journey = await get<Journey>(
        `/users/${busiest!.userId}/journey?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      )
      told.push(...page.events.map((event) => event.eventId))
      cursor = page.nextCursor
    } while (cursor)
    expect(told).toHaveLength(own.length)
    expect(new Set(told)).toEqual(new Set(own.map((event) => event.eventId)))
  })

  it('is not seeded again at the next start, and keeps what was posted since', async () => {
    const posted = await fetch(`${server.url}/events`, {
      method: 'POST',
      body: JSON.stringify({ userId: 'curl-1', sessionId: 'curl-1-a', type: 'page_view', payload: { url: '/hello' } }),
    })
    expect(posted.status).toBe(202)
    const before = server.output()
    await server.restart()
    expect(server.output().slice(before.length)).not.toContain('Seeding')
    cookie = await logIn(server.url)
    expect((await get<Overview>('/stats')).totalEvents).toBe(200_001)
  })
})
