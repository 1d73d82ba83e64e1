import { Temporal } from 'temporal-polyfill'
import type { AsideSum, Money, Site } from '../../trpc/schema/common.ts'
import { decimalsOf } from '../../trpc/schema/currencies.ts'
import { type Aside, type Purchase, readPurchase } from '../../trpc/schema/purchase.ts'
import { idBesideClaim } from './event-digest.ts'
import type {
  BatchOutcome,
  EventBatch,
  EventReading,
  JourneyQuery,
  OrderRow,
  OverviewRow,
  SessionRow,
  StoredEvent,
  TotalsRow,
  UntilQuery,
  UntilRow,
  UserListQuery,
  UserRow,
} from './store.ts'

type Answer<Name extends keyof EventReading> = Awaited<
  ReturnType<Extract<EventReading[Name], (query: never) => unknown>>
>
type Range = { siteId: string; from: string; to: string }

/**
 * The figures by their definitions (docs/numbers.md) and nothing else: plain loops over every event, no index, no
 * roll-up, no calendar but Temporal's. Tests hold every engine's answers against it.
 */
export class Oracle {
  readonly #sites: readonly Site[]
  readonly #events: StoredEvent[] = []
  readonly #seen = new Map<string, StoredEvent>()
  readonly #days = new Map<string, string>()
  readonly #outcomes = new Map<string, BatchOutcome>()

  constructor(sites: readonly Site[]) {
    this.#sites = sites
  }

  insertBatch({ id, events }: EventBatch): BatchOutcome {
    const known = this.#outcomes.get(id)
    if (known) return known
    const outcome: BatchOutcome = { fates: [], reasons: {}, stored: 0, duplicate: 0, refused: 0 }
    for (const [index, event] of events.entries()) {
      let kept = event
      let first = this.#seen.get(keyOf(event))
      if (first && isBesideClaim(first, event)) {
        kept = { ...event, eventId: idBesideClaim(event.eventId) }
        first = this.#seen.get(keyOf(kept))
      }
      const again = first !== undefined
      if (first && isOther(first, event)) outcome.reasons[index] = 'eventId was used before by another event'
      if (!again) this.#seen.set(keyOf(kept), kept)
      if (!again) this.#events.push(kept)
      outcome.fates.push(again ? 'duplicate' : 'stored')
      outcome[again ? 'duplicate' : 'stored'] += 1
    }
    this.#outcomes.set(id, outcome)
    return outcome
  }

  events(siteId: string): StoredEvent[] {
    return this.#events.filter((event) => event.siteId === siteId)
  }

  overview({ siteId, from, to, until = Number.POSITIVE_INFINITY }: Range & { until?: number }): OverviewRow {
    const within = (instant: number) => {
      const day = this.day(siteId, instant)
      return from <= day && (day < to || (day === to && instant < until))
    }
    const events = this.events(siteId).filter((event) => within(event.occurredAt))
    const sessions = this.#sessions(siteId).filter((session) => within(session.start))
    const allOrders = this.#orders(siteId)
    const orders = allOrders.filter((order) => within(order.first.occurredAt))
    // Of a day that is cut only orders until then count, of whole days those that came later as well.
    const isOrdering = ({ userId, sessionId, start }: { userId: string; sessionId: string; start: number }) =>
      (until < Number.POSITIVE_INFINITY && this.day(siteId, start) === to ? orders : allOrders).some(
        ({ first }) => first.userId === userId && first.sessionId === sessionId,
      )
    const aside = this.#aside(siteId).filter(({ event }) => within(event.occurredAt))
    const figures = (day: string | null) => {
      const of = (instant: number) => day === null || this.day(siteId, instant) === day
      const dayEvents = events.filter((event) => of(event.occurredAt))
      const daySessions = sessions.filter((session) => of(session.start))
      const dayOrders = orders.filter((order) => of(order.first.occurredAt))
      return {
        events: dayEvents.length,
        users: new Set(dayEvents.map((event) => event.userId)).size,
        sessions: daySessions.length,
        orderingSessions: daySessions.filter(isOrdering).length,
        orders: dayOrders.length,
        money: sums(dayOrders),
      }
    }
    const days = new Set(events.map((event) => this.day(siteId, event.occurredAt)))
    const types = new Set(events.map((event) => event.type))
    return {
      ...figures(null),
      aside: asideSums(aside),
      types: [...types].map((type) => ({ type, events: events.filter((event) => event.type === type).length })),
      days: [...days].sort().map((day) => ({ day, ...figures(day) })),
    }
  }

  overviewUntil({ siteId, from, to, until }: UntilQuery): UntilRow {
    const hour = this.#hour(siteId, until - 1)
    const ofHour = this.events(siteId).filter(
      ({ occurredAt }) =>
        occurredAt < until && this.day(siteId, occurredAt) === to && this.#hour(siteId, occurredAt) === hour,
    )
    return { ...this.overview({ siteId, from, to, until }), lastHour: ofHour.length }
  }

  hours({ siteId, from, to }: Range): Answer<'hours'> {
    const counts = new Map<number, number>()
    for (const event of this.events(siteId)) {
      const day = this.day(siteId, event.occurredAt)
      if (day < from || day > to) continue
      const start = this.#hour(siteId, event.occurredAt)
      counts.set(start, (counts.get(start) ?? 0) + 1)
    }
    return [...counts].map(([start, events]) => ({ start, events })).sort((a, b) => a.start - b.start)
  }

  /** The first instant of the hour that holds the instant. */
  #hour(siteId: string, instant: number): number {
    const wall = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(this.#zone(siteId))
    const sinceHour = wall.minute * 60_000 + wall.second * 1000 + wall.millisecond
    // A clock change ends an hour.
    const change = wall.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
    return Math.max(instant - sinceHour, change?.epochMilliseconds ?? Number.NEGATIVE_INFINITY)
  }

  totals(siteId: string): TotalsRow {
    const events = this.events(siteId)
    const times = events.map((event) => event.occurredAt).sort((a, b) => a - b)
    const first = times[0]
    const last = times.at(-1)
    return {
      events: events.length,
      users: new Set(events.map((event) => event.userId)).size,
      sessions: this.#sessions(siteId).length,
      firstDay: first === undefined ? null : this.day(siteId, first),
      lastDay: last === undefined ? null : this.day(siteId, last),
      lastOccurredAt: last ?? null,
      lastReceivedAt: events.length === 0 ? null : Math.max(...events.map((event) => event.receivedAt)),
    }
  }

  user({ siteId, userId }: { siteId: string; userId: string }): UserRow | null {
    const events = this.events(siteId).filter((event) => event.userId === userId)
    if (events.length === 0) return null
    const orders = this.#orders(siteId).filter((order) => order.first.userId === userId)
    return {
      userId,
      events: events.length,
      sessions: new Set(events.map((event) => event.sessionId)).size,
      orders: orders.length,
      money: sums(orders),
      firstActive: Math.min(...events.map((event) => event.occurredAt)),
      lastActive: Math.max(...events.map((event) => event.occurredAt)),
    }
  }

  listUsers({
    siteId,
    sort,
    order,
    prefix = '',
    limit,
    after,
    before,
    offset = 0,
  }: UserListQuery): Answer<'listUsers'> {
    const sign = order === 'asc' ? 1 : -1
    const ids = new Set(this.events(siteId).map((event) => event.userId))
    const users = [...ids].filter((id) => id.startsWith(prefix)).map((userId) => this.user({ siteId, userId })!)
    const compare = (a: UserKey, b: UserKey) =>
      sign * (compareValues(a.value, b.value) || compareBytes(a.userId, b.userId))
    const keyed = users.map((user) => ({ user, key: { value: sortValue(sort, user), userId: user.userId } }))
    keyed.sort((a, b) => compare(a.key, b.key))
    let page = keyed.slice(offset, offset + limit)
    if (after) page = keyed.filter(({ key }) => compare(key, after) > 0).slice(0, limit)
    if (before) page = keyed.filter(({ key }) => compare(key, before) < 0).slice(-limit)
    return { users: page.map(({ user }) => user), total: users.length }
  }

  journey({ siteId, userId, from, to, type, sessionId, order, limit, after }: JourneyQuery): StoredEvent[] {
    const sign = order === 'asc' ? 1 : -1
    return this.events(siteId)
      .filter((event) => event.userId === userId)
      .filter((event) => from === undefined || event.occurredAt >= from)
      .filter((event) => to === undefined || event.occurredAt < to)
      .filter((event) => type === undefined || event.type === type)
      .filter((event) => sessionId === undefined || event.sessionId === sessionId)
      .sort((a, b) => sign * comparePlaces(a, b))
      .filter((event) => after === undefined || sign * comparePlaces(event, after) > 0)
      .slice(0, limit)
  }

  sessions(query: {
    siteId: string
    userId: string
    limit: number
    after?: { start: number; sessionId: string }
    ids?: string[]
  }): SessionRow[] {
    const compare = (a: Start, b: Start) => a.start - b.start || compareBytes(a.sessionId, b.sessionId)
    return this.#sessions(query.siteId)
      .filter((session) => session.userId === query.userId)
      .sort(compare)
      .map(({ userId: _, ...session }, index) => ({ ...session, number: index + 1 }))
      .reverse()
      .filter((session) => query.after === undefined || compare(session, query.after) < 0)
      .filter((session) => query.ids === undefined || query.ids.includes(session.sessionId))
      .slice(0, query.limit)
  }

  #sessions(siteId: string): (Omit<SessionRow, 'number'> & { userId: string })[] {
    const groups = new Map<string, StoredEvent[]>()
    for (const event of this.events(siteId)) {
      const key = JSON.stringify([event.userId, event.sessionId])
      const group = groups.get(key)
      if (group) group.push(event)
      else groups.set(key, [event])
    }
    const orders = this.#orders(siteId)
    return [...groups.values()].map((events) => {
      const { userId, sessionId } = events[0]!
      const own = orders.filter(({ first }) => first.userId === userId && first.sessionId === sessionId)
      return {
        userId,
        sessionId,
        start: Math.min(...events.map((event) => event.occurredAt)),
        end: Math.max(...events.map((event) => event.occurredAt)),
        events: events.length,
        orders: own.length,
        money: sums(own),
      }
    })
  }

  orders({ siteId, orderIds }: { siteId: string; orderIds: string[] }): OrderRow[] {
    return this.#orders(siteId)
      .filter(({ orderId }) => orderIds.includes(orderId))
      .map(({ orderId, currency, gross, first: { userId, eventId, trust } }) => ({
        ...{ orderId, userId, eventId, trust, currency, gross },
      }))
  }

  /** Every order id once: as the first verified purchase says that was received, without one as the first claimed. */
  #orders(siteId: string): Order[] {
    const orders = new Map<string, Order>()
    for (const trust of ['verified', 'claimed'])
      for (const { event, reading } of this.#purchases(siteId)) {
        if (event.trust !== trust || !('orderId' in reading) || orders.has(reading.orderId)) continue
        orders.set(reading.orderId, { ...reading, first: event })
      }
    return [...orders.values()]
  }

  /** Purchases that make no order, and those that say another thing of one than what it counts by. */
  #aside(siteId: string): SetAside[] {
    const orders = this.#orders(siteId)
    return this.#purchases(siteId).flatMap(({ event, reading }): SetAside[] => {
      if (!('orderId' in reading)) return [{ event, ...reading }]
      const { orderId, currency, gross } = reading
      const order = orders.find((other) => other.orderId === orderId)!
      if (order.currency !== currency) return [{ event, reason: 'other_currency', currency, gross }]
      return order.gross === gross ? [] : [{ event, reason: 'other_amount', currency, gross }]
    })
  }

  /** In the order of arrival. */
  #purchases(siteId: string): { event: StoredEvent; reading: Purchase | Aside }[] {
    const arrived = this.events(siteId).sort((a, b) => a.seq - b.seq || compareBytes(a.eventId, b.eventId))
    return arrived
      .filter((event) => event.type === 'purchase')
      .map((event) => {
        const reading = readPurchase(event.payload)
        return { event, reading: 'purchase' in reading ? reading.purchase : reading.aside }
      })
  }

  #zone(siteId: string): string {
    return this.#sites.find((site) => site.id === siteId)!.timeZone
  }

  /** The day of an instant. */
  day(siteId: string, instant: number): string {
    const key = `${siteId} ${instant}`
    let day = this.#days.get(key)
    if (day === undefined) {
      const zone = this.#zone(siteId)
      day = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone).toPlainDate().toString()
      this.#days.set(key, day)
    }
    return day
  }
}

interface Order extends Purchase {
  /** The purchase that it counts by. */
  first: StoredEvent
}

interface SetAside extends Aside {
  event: StoredEvent
}

type Start = { start: number; sessionId: string }
type UserKey = { value: number | string; userId: string }

function sums(orders: Order[]): Money[] {
  const currencies = new Set(orders.map((order) => order.currency))
  const money = [...currencies].map((currency) => {
    const own = orders.filter((order) => order.currency === currency)
    const claimed = own.filter((order) => order.first.trust === 'claimed')
    return {
      currency,
      decimals: decimalsOf(currency),
      orders: own.length,
      gross: grossOf(own),
      verified: { orders: own.length - claimed.length, gross: grossOf(own) - grossOf(claimed) },
      claimed: { orders: claimed.length, gross: grossOf(claimed) },
    }
  })
  return money.sort((a, b) => b.orders - a.orders || compareBytes(a.currency, b.currency))
}

function grossOf(purchases: { gross: number }[]): number {
  return purchases.reduce((sum, { gross }) => sum + gross, 0)
}

function asideSums(aside: SetAside[]): AsideSum[] {
  const names = new Set(aside.map(({ reason, currency }) => `${reason} ${currency}`))
  const sums = [...names].map((name) => {
    const own = aside.filter(({ reason, currency }) => `${reason} ${currency}` === name)
    const { reason, currency } = own[0]!
    return {
      reason,
      currency: currency || null,
      decimals: currency ? decimalsOf(currency) : null,
      purchases: own.length,
      gross: grossOf(own),
    }
  })
  return sums.sort(
    (a, b) =>
      b.purchases - a.purchases ||
      (a.reason === b.reason ? compareBytes(a.currency ?? '', b.currency ?? '') : a.reason < b.reason ? -1 : 1),
  )
}

function sortValue(sort: UserListQuery['sort'], user: UserRow): number | string {
  if (sort === 'userId') return user.userId
  if (sort === 'totalSessions') return user.sessions
  if (sort === 'totalEvents') return user.events
  if (sort === 'orders') return user.orders
  return sort === 'firstActive' ? user.firstActive : user.lastActive
}

function compareValues(a: number | string, b: number | string): number {
  return typeof a === 'number' ? a - Number(b) : compareBytes(a, String(b))
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function comparePlaces(
  a: { occurredAt: number; seq: number; eventId: string },
  b: { occurredAt: number; seq: number; eventId: string },
): number {
  return a.occurredAt - b.occurredAt || a.seq - b.seq || compareBytes(a.eventId, b.eventId)
}

function keyOf({ siteId, eventId }: StoredEvent): string {
  return JSON.stringify([siteId, eventId])
}

/** A server states something else than the browser that had the id before, or a purchase. */
function isBesideClaim(first: StoredEvent, event: StoredEvent): boolean {
  if (first.trust !== 'claimed' || event.trust !== 'verified') return false
  return event.type === 'purchase' || isOther(first, event)
}

/** Of two events with one id; one that occurred when it arrived may have been sent without a time. */
function isOther(first: StoredEvent, second: StoredEvent): boolean {
  const said = ({ userId, sessionId, type, payload }: StoredEvent) => JSON.stringify([userId, sessionId, type, payload])
  const areTimed = [first, second].every(({ occurredAt, receivedAt }) => occurredAt !== receivedAt)
  return said(first) !== said(second) || (areTimed && first.occurredAt !== second.occurredAt)
}
