import { isDeepStrictEqual } from 'node:util'
import type { Store, StoredEvent } from '../../server/store/store.ts'
import type { Money } from '../../trpc/schema/common.ts'
import { toMinorUnits } from '../../trpc/schema/minor-units.ts'

const siteId = 'default'

interface Sums {
  events: number
  users: number
  sessions: number
  orderingSessions: number
  orders: number
  money: Money[]
}

interface Visit {
  userId: string
  start: number
  end: number
  events: number
  orders: number
}

interface Order {
  userId: string
  at: number
  gross: number
}

/** Compares all stored totals with a recount of the rows; returns the differences. Assumes UTC days and euros. */
export async function wrongTotals(store: Store, rows: readonly StoredEvent[]): Promise<string[]> {
  const wrong: string[] = []
  const check = (what: string, answer: unknown, expected: unknown) => {
    if (!isDeepStrictEqual(answer, expected))
      wrong.push(`${what}: the store says ${JSON.stringify(answer)}, the rows ${JSON.stringify(expected)}`)
  }
  const { visits, orders } = group(rows)
  const users = groupBy(rows, (row) => row.userId)
  const days = groupBy(rows, (row) => dayOf(row.occurredAt))
  const types = groupBy(rows, (row) => row.type)
  const range = { siteId, from: '1970-01-01', to: '9998-12-31' }

  const totals = await store.totals(siteId)
  check('totals', [totals.events, totals.users, totals.sessions], [rows.length, users.size, visits.size])

  const { days: answered, types: byType, aside: _, ...whole } = await store.overview(range)
  check('overview', whole, sumsOf(rows, visits, orders))
  const counts = (list: { type: string; events: number }[]) =>
    list.map(({ type, events }) => `${type} ${events}`).sort()
  check('types', counts(byType), counts([...types].map(([type, own]) => ({ type, events: own.length }))))
  const expected = [...days.keys()].sort().map((day) => {
    const own = <T extends Visit | Order>(map: Map<string, T>) =>
      new Map([...map].filter(([, item]) => dayOf('at' in item ? item.at : item.start) === day))
    return { day, ...sumsOf(days.get(day)!, own(visits), own(orders)) }
  })
  check('days', answered, expected)

  const { users: listed, total } = await store.listUsers({ siteId, sort: 'userId', order: 'asc', limit: 10_000 })
  check('number of users', [total, listed.length], [users.size, users.size])
  for (const user of listed) {
    const own = [...visits.values()].filter((visit) => visit.userId === user.userId)
    const bought = [...orders.values()].filter((order) => order.userId === user.userId)
    check(
      `user ${user.userId}`,
      [user.events, user.sessions, user.orders, user.money],
      [users.get(user.userId)?.length, own.length, bought.length, sum(bought)],
    )
    const sessions = await store.sessions({ siteId, userId: user.userId, limit: 1000 })
    const lines = (list: Omit<Visit, 'userId'>[]) =>
      list.map((v) => `${v.start} ${v.end} ${v.events} ${v.orders}`).sort()
    check(`sessions of ${user.userId}`, lines(sessions), lines(own))
  }
  return wrong
}

/** Sessions, and orders by id: the first purchase to arrive that is a valid order counts. All are verified. */
function group(rows: readonly StoredEvent[]): { visits: Map<string, Visit>; orders: Map<string, Order> } {
  const visits = new Map<string, Visit>()
  const orders = new Map<string, Order>()
  const inOrder = [...rows].sort(
    (a, b) =>
      a.occurredAt - b.occurredAt || a.seq - b.seq || Buffer.compare(Buffer.from(a.eventId), Buffer.from(b.eventId)),
  )
  for (const { userId, sessionId, occurredAt } of inOrder) {
    const key = JSON.stringify([userId, sessionId])
    const visit = visits.get(key) ?? { userId, start: occurredAt, end: occurredAt, events: 0, orders: 0 }
    visits.set(key, visit)
    visit.end = occurredAt
    visit.events++
  }
  for (const { userId, sessionId, occurredAt, type, payload } of [...rows].sort((a, b) => a.seq - b.seq)) {
    const { orderId, revenue } = (payload ?? {}) as { orderId: string; revenue: unknown }
    if (type !== 'purchase' || typeof revenue !== 'number' || revenue < 0 || !orderId || orders.has(orderId)) continue
    visits.get(JSON.stringify([userId, sessionId]))!.orders++
    orders.set(orderId, { userId, at: occurredAt, gross: toMinorUnits(revenue, 'EUR') })
  }
  return { visits, orders }
}

function sumsOf(rows: readonly StoredEvent[], visits: Map<string, Visit>, orders: Map<string, Order>): Sums {
  return {
    events: rows.length,
    users: new Set(rows.map((row) => row.userId)).size,
    sessions: visits.size,
    orderingSessions: [...visits.values()].filter((visit) => visit.orders > 0).length,
    orders: orders.size,
    money: sum([...orders.values()]),
  }
}

function sum(orders: readonly Order[]): Money[] {
  if (orders.length === 0) return []
  const gross = orders.reduce((sum, order) => sum + order.gross, 0)
  const all = { orders: orders.length, gross }
  return [{ currency: 'EUR', decimals: 2, ...all, verified: all, claimed: { orders: 0, gross: 0 } }]
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const own = groups.get(keyOf(row))
    if (own) own.push(row)
    else groups.set(keyOf(row), [row])
  }
  return groups
}

function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10)
}
