import type { StoredEvent } from '../server/store/store.ts'
import type { Money } from '../trpc/schema/common.ts'

/** The figures of a range in the form of /stats, computed naively from the events. */
export interface Recount {
  totalUsers: number
  totalEvents: number
  sessions: number
  orderingSessions: number
  orders: number
  money: Money[]
  eventsByType: { type: string; count: number }[]
  eventsByDay: Map<string, number>
}

export interface UserRecount {
  totalEvents: number
  totalSessions: number
  orders: number
  firstActive: string
  lastActive: string
}

interface Visit {
  startDay: string
  orders: number
}

/** A function for the calendar day at an instant, from the runtime's own calendar, which the server does not use. */
export function dayIn(zone: string): (instant: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  return (instant) => format.format(instant)
}

/** Recounts the days from..to. `events` must be sorted by time, with purchases in euros and francs only. */
export function recount(events: readonly StoredEvent[], zone: string, from = '', to = '9999'): Recount {
  const day = dayIn(zone)
  const users = new Set<string>()
  const types = new Map<string, number>()
  const eventsByDay = new Map<string, number>()
  const money = new Map<string, { orders: number; cents: number }>()
  const visits = new Map<string, Visit>()
  const orderIds = new Set<string>()
  const isWithin = (date: string) => from <= date && date <= to
  let totalEvents = 0
  let orders = 0

  for (const event of events) {
    const date = day(event.occurredAt)
    const key = `${event.userId}\n${event.sessionId}`
    const visit = visits.get(key) ?? { startDay: date, orders: 0 }
    visits.set(key, visit)
    if (isWithin(date)) {
      totalEvents += 1
      users.add(event.userId)
      types.set(event.type, (types.get(event.type) ?? 0) + 1)
      eventsByDay.set(date, (eventsByDay.get(date) ?? 0) + 1)
    }
    if (event.type !== 'purchase') continue
    const { orderId, revenue, currency } = event.payload as { orderId: string; revenue: number; currency: string }
    if (orderIds.has(orderId)) continue
    orderIds.add(orderId)
    visit.orders += 1
    if (!isWithin(date)) continue
    orders += 1
    const sum = money.get(currency) ?? { orders: 0, cents: 0 }
    money.set(currency, { orders: sum.orders + 1, cents: sum.cents + Math.round(revenue * 100) })
  }

  const sessions = [...visits.values()].filter((visit) => isWithin(visit.startDay))
  return {
    totalUsers: users.size,
    totalEvents,
    sessions: sessions.length,
    orderingSessions: sessions.filter((visit) => visit.orders > 0).length,
    orders,
    money: [...money]
      .map(([currency, sum]) => ({
        ...{ currency, decimals: 2, orders: sum.orders, gross: sum.cents },
        verified: { orders: sum.orders, gross: sum.cents },
        claimed: { orders: 0, gross: 0 },
      }))
      .sort((a, b) => b.orders - a.orders || (a.currency < b.currency ? -1 : 1)),
    eventsByType: [...types].map(([type, count]) => ({ type, count })).sort(byCountThenType),
    eventsByDay,
  }
}

/** Recounts each user's totals over the whole history. */
export function recountUsers(events: readonly StoredEvent[]): Map<string, UserRecount> {
  const users = new Map<string, UserRecount & { sessionIds: Set<string>; orderIds: Set<string> }>()
  for (const event of events) {
    const at = new Date(event.occurredAt).toISOString()
    let user = users.get(event.userId)
    if (!user) {
      const none = { totalEvents: 0, totalSessions: 0, orders: 0, firstActive: at, lastActive: at }
      user = { ...none, sessionIds: new Set(), orderIds: new Set() }
      users.set(event.userId, user)
    }
    user.totalEvents += 1
    user.lastActive = at
    user.totalSessions = user.sessionIds.add(event.sessionId).size
    if (event.type === 'purchase') user.orders = user.orderIds.add(String(event.payload?.orderId)).size
  }
  return users
}

/** Sorts types by count, then name; the order of types with the same count is up to the store. */
export function byCountThenType(a: { type: string; count: number }, b: { type: string; count: number }): number {
  return b.count - a.count || (a.type < b.type ? -1 : 1)
}
