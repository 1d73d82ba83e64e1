import { Temporal } from 'temporal-polyfill'
import { expect } from 'vitest'
import { userSort } from '../../trpc/schema/users.ts'
import type { Oracle } from './oracle.ts'
import type { OrderRow, OverviewRow, Store, StoredEvent } from './store.ts'

const WEEK_DAYS = 7

/** Asks the store and the oracle every question in many ways; each pair of answers must be equal. */
export async function compareAnswers(store: Store, oracle: Oracle, siteId: string): Promise<void> {
  expect(await store.totals(siteId)).toEqual(oracle.totals(siteId))
  await compareRanges(store, oracle, siteId)
  const orders = { siteId, orderIds: ['A', 'B', 'C', 'D', 'E', 'F', '7', 'none'] }
  expect(byOrder(await store.orders(orders))).toEqual(byOrder(oracle.orders(orders)))
  await compareUsers(store, oracle, siteId)
  const stored: StoredEvent[] = []
  for await (const events of store.scanEvents(siteId)) stored.push(...events)
  expect(sortById(stored)).toEqual(sortById(oracle.events(siteId)))
}

async function compareRanges(store: Store, oracle: Oracle, siteId: string): Promise<void> {
  const { firstDay, lastDay } = oracle.totals(siteId)
  if (firstDay === null || lastDay === null) return
  const first = Temporal.PlainDate.from(firstDay)
  const length = first.until(lastDay).days + 1
  const active = oracle.overview({ siteId, from: firstDay, to: lastDay }).days.map((day) => day.day)
  const ranges = [
    [firstDay, lastDay],
    [first.subtract({ days: 3 }).toString(), lastDay],
    ...active.map((day) => [day, day]),
    ...active.map((day) => [day, Temporal.PlainDate.from(day).add({ days: WEEK_DAYS }).toString()]),
    [first.add({ days: Math.floor(length / 2) }).toString(), lastDay],
    ['2031-01-01', '2031-02-01'],
  ]
  for (const [from = '', to = ''] of ranges) {
    const range = { siteId, from, to }
    expect(byType(await store.overview(range)), `overview ${from}..${to}`).toEqual(byType(oracle.overview(range)))
    expect(await store.hours(range), `hours ${from}..${to}`).toEqual(oracle.hours(range))
  }
  const times = oracle.events(siteId).map(({ occurredAt }) => occurredAt)
  for (const [from = '', to = ''] of [...active.map((day) => [day, day]), ...active.map((day) => [firstDay, day])]) {
    const ofDay = oracle.events(siteId).filter((event) => oracle.day(siteId, event.occurredAt) === to)
    const at = ofDay[Math.floor(ofDay.length / 2)]!.occurredAt
    // At an event, right after it, and the minute after, which mostly cuts an hour.
    for (const until of [at, at + 1, Math.floor(at / 60_000 + 1) * 60_000]) {
      if (until > Math.max(...times)) continue
      const query = { siteId, from, to, until }
      const row = await store.overviewUntil(query)
      if ('missing' in row) throw new Error(`${from}..${to} until ${until} is missing: ${row.missing}`)
      expect(byType(row), JSON.stringify(query)).toEqual(byType(oracle.overviewUntil(query)))
    }
  }
}

async function compareUsers(store: Store, oracle: Oracle, siteId: string): Promise<void> {
  for (const sort of userSort.options)
    for (const order of ['asc', 'desc'] as const)
      for (const page of [{ limit: 4 }, { limit: 3, offset: 2 }, { limit: 3, offset: 6 }, { limit: 5, prefix: 'u' }]) {
        const query = { siteId, sort, order, ...page }
        expect(await store.listUsers(query), JSON.stringify(query)).toEqual(oracle.listUsers(query))
      }
  const { users } = oracle.listUsers({ siteId, sort: 'userId', order: 'asc', limit: 1000 })
  for (const { userId } of users) {
    expect(await store.user({ siteId, userId })).toEqual(oracle.user({ siteId, userId }))
    const sessions = { siteId, userId, limit: 100 }
    expect(await store.sessions(sessions), `sessions of ${userId}`).toEqual(oracle.sessions(sessions))
    await compareJourneys(store, oracle, siteId, userId)
  }
}

async function compareJourneys(store: Store, oracle: Oracle, siteId: string, userId: string): Promise<void> {
  const all = oracle.journey({ siteId, userId, order: 'asc', limit: 1000 })
  const middle = all[Math.floor(all.length / 2)]!
  const { occurredAt, seq, eventId, type, sessionId } = middle
  const pages = [
    { limit: 1000 },
    { limit: 2 },
    { limit: 3, after: { occurredAt, seq, eventId } },
    { limit: 10, from: occurredAt },
    { limit: 10, to: occurredAt },
    { limit: 10, type },
    { limit: 10, sessionId },
    { limit: 1, sessionId, type, from: all[0]!.occurredAt, after: { occurredAt, seq, eventId } },
  ]
  for (const order of ['asc', 'desc'] as const)
    for (const page of pages) {
      const query = { siteId, userId, order, ...page }
      expect(await store.journey(query), JSON.stringify(query)).toEqual(oracle.journey(query))
    }
}

function byOrder(orders: OrderRow[]): OrderRow[] {
  return [...orders].sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
}

/** Types come in any order. */
function byType<Row extends OverviewRow>(row: Row): Row {
  return { ...row, types: [...row.types].sort((a, b) => (a.type < b.type ? -1 : 1)) }
}

function sortById(events: StoredEvent[]): StoredEvent[] {
  return [...events].sort((a, b) => (a.eventId < b.eventId ? -1 : 1))
}
