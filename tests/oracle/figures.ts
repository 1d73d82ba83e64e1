import { createHash } from 'node:crypto'
import { type Calendar, daysBetween, mondayOf } from './calendar.ts'
import type { Currency, PostedEvent } from './random-posts.ts'

/** An accepted event with its order of arrival. `order` is null if it has no valid amount. */
export interface KeptEvent extends PostedEvent {
  at: number
  arrival: number
  /** True if sent with a server key (or none); false if only a browser key claims it. */
  verified: boolean
  order: { orderId: string; currency: Currency; gross: bigint; verified: boolean } | null
  /** Why a purchase is not an order, and the amount it states anyway; null otherwise. */
  fault: { reason: string; currency: Currency | null; gross: bigint } | null
}

export interface Sum {
  currency: string
  decimals: number
  orders: number
  gross: number
  /** The part stated with a server key. */
  verified: { orders: number; gross: number }
  /** The part claimed by browsers only. */
  claimed: { orders: number; gross: number }
}

const places: Record<Currency, number> = { EUR: 2, JPY: 0, KWD: 3, CLF: 4, HUF: 2, RSD: 2 }

/** Converts decimal text to the currency's minor units, rounding half away from zero, without floating point. */
export function smallestUnits(amount: string, currency: Currency): bigint {
  if (amount.startsWith('-')) return -smallestUnits(amount.slice(1), currency)
  const [whole = '', fraction = ''] = amount.split('.')
  const kept = fraction.slice(0, places[currency]).padEnd(places[currency], '0')
  const up = (fraction[places[currency]] ?? '0') >= '5'
  return BigInt(whole + kept) + (up ? 1n : 0n)
}

const bytesOf = (text: string) => Buffer.from(text)
export const byBytes = (a: string, b: string) => Buffer.compare(bytesOf(a), bytesOf(b))

const inOrder = (a: KeptEvent, b: KeptEvent) => a.at - b.at || a.arrival - b.arrival || byBytes(a.eventId, b.eventId)

/**
 * Keeps the first event of each id. If a server key later sends a purchase or a different event under an id that only a
 * browser had claimed, that is kept too, under a derived id (docs/storefronts.md).
 */
function distinct(events: readonly KeptEvent[]): KeptEvent[] {
  const kept = new Map<string, KeptEvent>()
  for (const event of events) {
    const first = kept.get(event.eventId)
    const isBeside = first && event.verified && !first.verified && (event.type === 'purchase' || isOther(first, event))
    const eventId = isBeside ? idBeside(event.eventId) : event.eventId
    if (!kept.has(eventId)) kept.set(eventId, isBeside ? { ...event, eventId } : event)
  }
  return [...kept.values()]
}

function isOther(first: KeptEvent, second: KeptEvent): boolean {
  const said = ({ userId, sessionId, type, payload, at }: KeptEvent) =>
    JSON.stringify([userId, sessionId, type, payload, at])
  return said(first) !== said(second)
}

/** A version 5 UUID (RFC 9562) in Veritas' namespace. */
function idBeside(eventId: string): string {
  const space = Buffer.from('6e0f6f0c4d0d4b0e9a533c1c2a7a5c11', 'hex')
  const hash = createHash('sha1').update(space).update(eventId).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The event that counts for each order: the first verified one, or else the first claimed one. */
function ordersOf(events: readonly KeptEvent[]): Map<string, KeptEvent> {
  const orders = new Map<string, KeptEvent>()
  for (const verified of [true, false])
    for (const event of events)
      if (event.order?.verified === verified && !orders.has(event.order.orderId)) orders.set(event.order.orderId, event)
  return orders
}

function sumsOf(events: Iterable<KeptEvent>): Sum[] {
  const byCurrency = new Map<Currency, NonNullable<KeptEvent['order']>[]>()
  for (const { order } of events)
    if (order) byCurrency.set(order.currency, [...(byCurrency.get(order.currency) ?? []), order])
  const sum = (orders: NonNullable<KeptEvent['order']>[]) => ({
    orders: orders.length,
    gross: Number(orders.reduce((total, { gross }) => total + gross, 0n)),
  })
  return [...byCurrency]
    .map(([currency, orders]) => ({
      currency,
      decimals: places[currency],
      ...sum(orders),
      verified: sum(orders.filter(({ verified }) => verified)),
      claimed: sum(orders.filter(({ verified }) => !verified)),
    }))
    .sort((a, b) => b.orders - a.orders || (a.currency < b.currency ? -1 : 1))
}

export interface Visit {
  userId: string
  sessionId: string
  events: KeptEvent[]
  start: number
  end: number
  orders: KeptEvent[]
}

/** Computes all figures of a shop naively, by iterating over all of its events. */
export class Oracle {
  readonly events: readonly KeptEvent[]
  readonly orders: ReadonlyMap<string, KeptEvent>
  readonly calendar: Calendar

  /** `events`: all accepted events in the order of arrival, including repeated ids. */
  constructor(events: readonly KeptEvent[], calendar: Calendar) {
    this.events = distinct(events)
    this.orders = ordersOf(this.events)
    this.calendar = calendar
  }

  visits(): Visit[] {
    const orders = new Set(this.orders.values())
    const visits = new Map<string, Visit>()
    for (const event of this.events) {
      const key = JSON.stringify([event.userId, event.sessionId])
      const { userId, sessionId, at } = event
      const visit = visits.get(key) ?? { userId, sessionId, events: [], start: at, end: at, orders: [] }
      visits.set(key, visit)
      visit.events.push(event)
      visit.start = Math.min(visit.start, at)
      visit.end = Math.max(visit.end, at)
      if (orders.has(event)) visit.orders.push(event)
    }
    return [...visits.values()]
  }

  /** Whether an instant is in the days from..to; on day `to` only before `until` (epoch ms). */
  private isWithin(instant: number, from: string, to: string, until: number): boolean {
    const day = this.calendar.day(instant)
    return from <= day && day <= to && (day !== to || instant < until)
  }

  /** Expected figures of /stats for the days from..to; of day `to` only before `until`. */
  figures(from: string, to: string, until = Number.POSITIVE_INFINITY) {
    const isWithin = (instant: number) => this.isWithin(instant, from, to, until)
    const events = this.events.filter(({ at }) => isWithin(at))
    const visits = this.visits().filter(({ start }) => isWithin(start))
    const orders = [...this.orders.values()].filter(({ at }) => isWithin(at))
    const totalUsers = new Set(events.map(({ userId }) => userId)).size
    // On a day that is cut off by `until`, only earlier orders make a session an ordering one.
    const isOrdering = ({ start, orders }: Visit) =>
      until === Number.POSITIVE_INFINITY || this.calendar.day(start) !== to
        ? orders.length > 0
        : orders.some(({ at }) => isWithin(at))
    const orderingSessions = visits.filter(isOrdering).length
    return {
      totalUsers,
      totalEvents: events.length,
      avgEventsPerUser: totalUsers === 0 ? null : Math.round((events.length / totalUsers) * 10) / 10,
      sessions: visits.length,
      orderingSessions,
      orders: orders.length,
      conversion: visits.length === 0 ? null : orderingSessions / visits.length,
      money: sumsOf(orders),
    }
  }

  /**
   * Purchases in from..to that are no order, and repetitions that differ from the counted order. Keyed by the JSON
   * text of [reason, currency].
   */
  aside(from: string, to: string, until = Number.POSITIVE_INFINITY) {
    const sums = new Map<string, { purchases: number; gross: bigint }>()
    for (const { order, fault, at } of this.events) {
      const aside = fault ?? (order && this.repetition(order))
      if (!aside || !this.isWithin(at, from, to, until)) continue
      const key = JSON.stringify([aside.reason, aside.currency])
      const sum = sums.get(key) ?? { purchases: 0, gross: 0n }
      sums.set(key, { purchases: sum.purchases + 1, gross: sum.gross + aside.gross })
    }
    return Object.fromEntries([...sums].map(([key, sum]) => [key, { ...sum, gross: Number(sum.gross) }]))
  }

  /** How a purchase differs from the one counted for its order; null if it does not. */
  private repetition(order: NonNullable<KeptEvent['order']>) {
    const counted = this.orders.get(order.orderId)?.order
    if (!counted || (counted.currency === order.currency && counted.gross === order.gross)) return null
    const reason = counted.currency === order.currency ? 'other_amount' : 'other_currency'
    return { reason, currency: order.currency, gross: order.gross }
  }

  types(from: string, to: string, until = Number.POSITIVE_INFINITY): { type: string; count: number }[] {
    const counts = new Map<string, number>()
    for (const { type, at } of this.events)
      if (this.isWithin(at, from, to, until)) counts.set(type, (counts.get(type) ?? 0) + 1)
    return [...counts]
      .map(([type, count]) => ({ type, count }))
      .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1))
  }

  /** Number of events by the start of their hour or the Monday of their week; empty buckets are left out. */
  buckets(
    from: string,
    to: string,
    interval: 'hour' | 'week',
    until = Number.POSITIVE_INFINITY,
  ): Record<string, number> {
    const buckets: Record<string, number> = {}
    for (const { at } of this.events) {
      const day = this.calendar.day(at)
      if (!this.isWithin(at, from, to, until)) continue
      const name = interval === 'week' ? mondayOf(day) : new Date(this.calendar.hour(at)).toISOString()
      buckets[name] = (buckets[name] ?? 0) + 1
    }
    return buckets
  }

  days(from: string, to: string, until = Number.POSITIVE_INFINITY) {
    return daysBetween(from, to).map((date) => {
      const { totalUsers, totalEvents, sessions, orderingSessions, orders, money } = this.figures(
        date,
        date,
        date === to ? until : undefined,
      )
      return { date, events: totalEvents, users: totalUsers, sessions, orderingSessions, orders, money }
    })
  }

  users() {
    const visits = this.visits()
    return [...new Set(this.events.map(({ userId }) => userId))].map((userId) => {
      const own = this.events.filter((event) => event.userId === userId)
      const orders = [...this.orders.values()].filter((event) => event.userId === userId)
      const times = own.map(({ at }) => at)
      return {
        userId,
        totalEvents: own.length,
        totalSessions: visits.filter((visit) => visit.userId === userId).length,
        orders: orders.length,
        money: sumsOf(orders),
        firstActive: new Date(Math.min(...times)).toISOString(),
        lastActive: new Date(Math.max(...times)).toISOString(),
      }
    })
  }

  /** A user's events, oldest first. */
  journey(userId: string): KeptEvent[] {
    return this.events.filter((event) => event.userId === userId).sort(inOrder)
  }

  /** A user's sessions, oldest first. */
  sessions(userId: string) {
    return this.visits()
      .filter((visit) => visit.userId === userId)
      .sort((a, b) => a.start - b.start || byBytes(a.sessionId, b.sessionId))
      .map(({ sessionId, start, end, events, orders }, index) => ({
        sessionId,
        number: index + 1,
        start: new Date(start).toISOString(),
        end: new Date(end).toISOString(),
        events: events.length,
        orders: orders.length,
        money: sumsOf(orders),
      }))
  }
}
