import { Buffer } from 'node:buffer'
import type { AsideReason } from '../../../../trpc/schema/common.ts'
import { dayNumberOf, hourStart } from '../../../analysis/zones.ts'
import { type OrderSum as Joined, joinOrders, type Ordering } from '../../orders.ts'
import type { Aside, Purchase } from '../../purchase.ts'
import type { StoredEvent } from '../../store.ts'

/** What a summary knows of one session. */
export interface SessionSum {
  events: number
  startAt: number
  endAt: number
}

export interface UserSum {
  days: Set<number>
  sessions: Map<string, SessionSum>
}

export interface DaySum {
  events: number
  types: Map<string, number>
  hours: Map<number, number>
  /** Purchases that make no order, by reason and currency. */
  aside: Map<string, AsideCount>
}

/** `gross` as text, for it may be larger than a number. */
type AsideCount = [reason: AsideReason, currency: string, purchases: number, gross: string]

/** A purchase that its order may be counted by. */
export interface OrderPurchase extends Ordering {
  occurredAt: number
  userId: string
  sessionId: string
}
export type OrderSum = Joined<OrderPurchase>

/**
 * What the events of a site come to before anything is known of the site's other events. Sums, least and greatest
 * values, sets and firsts: summaries of batches can be merged in any order, and a fold needs no event.
 */
export class SiteSummary {
  readonly users = new Map<string, UserSum>()
  readonly days = new Map<number, DaySum>()
  readonly orders = new Map<string, OrderSum>()
  lastReceivedAt = 0

  add(event: StoredEvent, zone: string, reading: { purchase: Purchase } | { aside: Aside } | null): void {
    const { userId, sessionId, occurredAt, seq, eventId, trust } = event
    const dayNo = dayNumberOf(zone, occurredAt)
    const user = this.#user(userId)
    user.days.add(dayNo)
    addSession(user, sessionId, { events: 1, startAt: occurredAt, endAt: occurredAt })
    const day = this.#day(dayNo)
    day.events += 1
    count(day.types, event.type, 1)
    count(day.hours, hourStart(zone, occurredAt), 1)
    this.lastReceivedAt = Math.max(this.lastReceivedAt, event.receivedAt)
    if (!reading) return
    if ('aside' in reading) {
      const { reason, currency, gross } = reading.aside
      addAside(day, [reason, currency, 1, String(gross)])
      return
    }
    const { orderId, currency, gross } = reading.purchase
    const first = { trust, seq, eventId, occurredAt, dayNo, userId, sessionId, currency, gross }
    this.#addOrder(orderId, { first, others: [] })
  }

  merge(packed: PackedSite): void {
    for (const [userId, days, sessions] of packed.users) {
      const user = this.#user(userId)
      for (const dayNo of days) user.days.add(dayNo)
      for (const [sessionId, events, startAt, endAt] of sessions)
        addSession(user, sessionId, { events, startAt, endAt })
    }
    for (const [dayNo, events, types, hours, aside = []] of packed.days) {
      const day = this.#day(dayNo)
      day.events += events
      for (const [type, ofType] of types) count(day.types, type, ofType)
      for (const [start, ofHour] of hours) count(day.hours, start, ofHour)
      for (const ofReason of aside) addAside(day, ofReason)
    }
    // Of a batch of the release before: its orders are counted from its events (recount/).
    for (const [orderId, order] of packed.orders) if (order.first) this.#addOrder(orderId, order)
    this.lastReceivedAt = Math.max(this.lastReceivedAt, packed.lastReceivedAt)
  }

  pack(siteId: string): PackedSite {
    return {
      siteId,
      lastReceivedAt: this.lastReceivedAt,
      users: [...this.users].map(([userId, { days, sessions }]) => [
        userId,
        [...days],
        [...sessions].map(([id, { events, startAt, endAt }]) => [id, events, startAt, endAt]),
      ]),
      days: [...this.days].map(([dayNo, { events, types, hours, aside }]) => [
        dayNo,
        events,
        [...types],
        [...hours],
        [...aside.values()],
      ]),
      orders: [...this.orders],
    }
  }

  #user(userId: string): UserSum {
    let user = this.users.get(userId)
    if (!user) {
      user = { days: new Set(), sessions: new Map() }
      this.users.set(userId, user)
    }
    return user
  }

  #day(dayNo: number): DaySum {
    let day = this.days.get(dayNo)
    if (!day) {
      day = { events: 0, types: new Map(), hours: new Map(), aside: new Map() }
      this.days.set(dayNo, day)
    }
    return day
  }

  #addOrder(orderId: string, order: OrderSum): void {
    this.orders.set(orderId, joinOrders(this.orders.get(orderId), order))
  }
}

export interface PackedSite {
  siteId: string
  lastReceivedAt: number
  users: [userId: string, days: number[], sessions: [id: string, events: number, startAt: number, endAt: number][]][]
  days: [dayNo: number, events: number, types: [string, number][], hours: [number, number][], aside: AsideCount[]][]
  orders: [orderId: string, OrderSum][]
}

/** By site. */
export type Summary = Map<string, SiteSummary>

export function siteSummary(summary: Summary, siteId: string): SiteSummary {
  let site = summary.get(siteId)
  if (!site) {
    site = new SiteSummary()
    summary.set(siteId, site)
  }
  return site
}

/** A summary as it is kept. */
export interface Figures {
  sites: PackedSite[]
  /** Of users, sessions and orders. */
  rows: number
}

export function figuresOf(summary: Summary): Figures {
  let rows = 0
  for (const { users, orders } of summary.values()) {
    rows += orders.size
    for (const { sessions } of users.values()) rows += 1 + sessions.size
  }
  return { sites: [...summary].map(([siteId, site]) => site.pack(siteId)), rows }
}

/** JSON: half the time of BSON for so many small arrays. */
export function packFigures({ sites }: Figures): Buffer {
  return Buffer.from(JSON.stringify(sites))
}

export function unpackSites(packed: Uint8Array): PackedSite[] {
  return JSON.parse(Buffer.from(packed).toString()) as PackedSite[]
}

export function mergeSites(summary: Summary, sites: readonly PackedSite[]): void {
  for (const site of sites) siteSummary(summary, site.siteId).merge(site)
}

function addAside(day: DaySum, [reason, currency, purchases, gross]: AsideCount): void {
  const key = `${reason} ${currency}`
  const [, , before, sum] = day.aside.get(key) ?? [reason, currency, 0, '0']
  day.aside.set(key, [reason, currency, before + purchases, String(BigInt(sum) + BigInt(gross))])
}

function addSession(user: UserSum, sessionId: string, { events, startAt, endAt }: SessionSum): void {
  const session = user.sessions.get(sessionId)
  if (!session) {
    user.sessions.set(sessionId, { events, startAt, endAt })
    return
  }
  session.events += events
  session.startAt = Math.min(session.startAt, startAt)
  session.endAt = Math.max(session.endAt, endAt)
}

function count<Key>(counts: Map<Key, number>, key: Key, events: number): void {
  counts.set(key, (counts.get(key) ?? 0) + events)
}
