import { Binary } from 'mongodb'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { createTurns } from '../../../turns.ts'
import { GatheredMoney } from '../../gathered.ts'
import { type AsideChange, compareRanks, settleOrder } from '../../orders.ts'
import { withMoney } from '../money.ts'
import { orderKey } from '../order-key.ts'
import { rankOf, trustOf } from '../order-rank.ts'
import { orderSumOf, rowOfOrder } from '../order-rows.ts'
import { packAscending, unpackAscending } from '../packed-numbers.ts'
import { NO_DAY } from '../pairs.ts'
import { dayRowId, plainRowId, sessionRowId, userRowId } from '../row-id.ts'
import type { OrderRow, PlannedRow, RollupName, Rollups, SessionRow, TotalsRow, UserRow } from '../rows.ts'
import { DayChange } from './day-change.ts'
import type { Known } from './known.ts'
import type { OrderSum, SessionSum, SiteSummary } from './summary.ts'

/**
 * The rows that a site's roll-ups come to when the summary of one fold is added. Reads the rows it starts from and
 * writes nothing.
 */
export async function planSite(
  known: Known,
  fold: number,
  site: { siteId: string; zone: string },
  summary: SiteSummary,
): Promise<PlannedRow[]> {
  const plan = new SitePlan(fold, site.siteId, site.zone, summary)
  await plan.load(known)
  await plan.moveOrders()
  await plan.countVisits()
  return plan.finish(known)
}

/** A row as it was and as it will be. */
interface Change<Row> {
  before: Row | undefined
  after: Row
}

type SessionVisit = [Change<SessionRow>, SessionSum]

/** What the summary has of one user. */
interface Visits {
  user: Change<UserRow>
  days: Set<number>
  sessions: SessionVisit[]
}

class SitePlan {
  readonly #fold: number
  readonly #siteId: string
  readonly #zone: string
  readonly #summary: SiteSummary
  readonly #users = new Map<string, Change<UserRow>>()
  readonly #sessions = new Map<string, Change<SessionRow>>()
  /** Those that do not move get another repetition. */
  readonly #orders = new Map<string, Change<OrderRow> & { moves: boolean }>()
  /** What the orders of the fold change of users and sessions. */
  readonly #money = new Map<Change<UserRow> | Change<SessionRow>, GatheredMoney>()
  readonly #days = new Map<number, DayChange>()
  readonly #visits: Visits[] = []
  #newUsers = 0
  #newSessions = 0

  constructor(fold: number, siteId: string, zone: string, summary: SiteSummary) {
    this.#fold = fold
    this.#siteId = siteId
    this.#zone = zone
    this.#summary = summary
    for (const [dayNo, sum] of summary.days) this.#day(dayNo).addEvents(sum)
  }

  /** Rows of the users, sessions and orders of the summary, and of those that lose an order to an earlier purchase. */
  async load(known: Known): Promise<void> {
    const { users, orders } = this.#summary
    const orderIds = new Map([...orders].map(([orderId, order]) => [plainRowId(this.#siteId, orderId), order]))
    const stored = await known.find('orders', orderIds.keys())
    const rowIds = new Map<string, string>()
    for (const userId of users.keys()) rowIds.set(userId, userRowId(this.#siteId, userId))
    const userIds = new Set(rowIds.values())
    const losingSessions: string[] = []
    const turns = createTurns()
    for (const [orderId, order] of orderIds) {
      const before = stored.get(orderId)
      const { after, aside } = settleOrder(before && orderSumOf(before, this.#zone), order)
      for (const change of aside) this.#addAside(change)
      const moves = !before || compareRanks(after.first, rankOf(before)) < 0
      const row = moves
        ? rowOfOrder(orderId, this.#fold, after)
        : { ...before, fold: this.#fold, ...othersOf(after.others) }
      this.#orders.set(orderId, { before, after: row, moves })
      await turns()
      if (!before || !moves) continue
      userIds.add(before.user)
      losingSessions.push(before.session)
    }
    const userRows = await known.find('users', userIds)
    // A new user has no stored sessions.
    const sessionIds = new Set(losingSessions)
    for (const [userId, { sessions }] of users) {
      const user = rowIds.get(userId)!
      if (userRows.has(user)) for (const sessionId of sessions.keys()) sessionIds.add(sessionRowId(user, sessionId))
    }
    const sessionRows = await known.find('sessions', sessionIds)
    for (const [id, before] of userRows) this.#users.set(id, { before, after: { ...before, fold: this.#fold } })
    for (const [id, before] of sessionRows) this.#sessions.set(id, { before, after: { ...before, fold: this.#fold } })
    for (const [userId, sum] of users) {
      const user = this.#ofUser(rowIds.get(userId)!, userId)
      const sessions: SessionVisit[] = []
      for (const [sessionId, ofSession] of sum.sessions)
        sessions.push([this.#ofSession(user.after._id, sessionId, ofSession.startAt), ofSession])
      this.#visits.push({ user, days: sum.days, sessions })
      await turns()
    }
  }

  /** A purchase that counts rather than the one before takes the order over. */
  async moveOrders(): Promise<void> {
    const turns = createTurns()
    for (const { before, after, moves } of this.#orders.values()) {
      if (!moves) continue
      if (before) this.#addOrder(before, -1)
      this.#addOrder(after, 1)
      await turns()
    }
    for (const [{ after }, gathered] of this.#money) {
      after.orders += gathered.orders
      after.money = withMoney(after.money, gathered.sums())
      await turns()
    }
  }

  async countVisits(): Promise<void> {
    const turns = createTurns()
    for (const { user, days, sessions } of this.#visits) {
      for (const [{ before, after }, sum] of sessions) {
        after.events += sum.events
        after.startAt = Math.min(after.startAt, sum.startAt)
        after.endAt = Math.max(after.endAt, sum.endAt)
        user.after.events += sum.events
        user.after.firstAt = Math.min(user.after.firstAt, sum.startAt)
        user.after.lastAt = Math.max(user.after.lastAt, sum.endAt)
        if (before) continue
        user.after.sessions += 1
        this.#newSessions += 1
      }
      if (!user.before) this.#newUsers += 1
      this.#addDays(user.after, days)
      await turns()
    }
    // A session counts on the day of its start, which a late event can move.
    for (const { before, after } of this.#sessions.values()) {
      if (before) this.#day(this.#dayNo(before.startAt)).addSession(before.orders, -1)
      this.#day(this.#dayNo(after.startAt)).addSession(after.orders, 1)
      await turns()
    }
  }

  async finish(known: Known): Promise<PlannedRow[]> {
    const { siteId, fold } = { siteId: this.#siteId, fold: this.#fold }
    const dayIds = new Map([...this.#days].map(([dayNo, change]) => [dayRowId(siteId, dayNo), change]))
    const [days, totals] = await Promise.all([known.find('days', dayIds.keys()), known.find('totals', [siteId])])
    const rows: PlannedRow[] = []
    const turns = createTurns()
    for (const change of this.#users.values()) {
      rows.push(changed('users', change))
      await turns()
    }
    for (const change of this.#sessions.values()) {
      rows.push(changed('sessions', change))
      await turns()
    }
    for (const { before, after } of this.#orders.values()) {
      rows.push(planned('orders', { before, after }))
      await turns()
    }
    for (const [id, change] of dayIds) {
      const day = days.get(id)
      rows.push(planned('days', { before: day, after: change.applyTo(day, id, fold) }))
      await turns()
    }
    const before = totals.get(siteId)
    rows.push(planned('totals', { before, after: this.#totals(before) }))
    return rows
  }

  #totals(before: TotalsRow | undefined): TotalsRow {
    const { days, users, lastReceivedAt } = this.#summary
    let events = 0
    for (const day of days.values()) events += day.events
    let firstAt = before?.firstAt ?? Number.POSITIVE_INFINITY
    let lastAt = before?.lastAt ?? 0
    for (const { sessions } of users.values())
      for (const { startAt, endAt } of sessions.values()) {
        firstAt = Math.min(firstAt, startAt)
        lastAt = Math.max(lastAt, endAt)
      }
    return {
      _id: this.#siteId,
      fold: this.#fold,
      events: (before?.events ?? 0) + events,
      users: (before?.users ?? 0) + this.#newUsers,
      sessions: (before?.sessions ?? 0) + this.#newSessions,
      firstAt,
      lastAt,
      lastReceivedAt: Math.max(before?.lastReceivedAt ?? 0, lastReceivedAt),
    }
  }

  #addOrder(order: OrderRow, sign: 1 | -1): void {
    const value = { currency: order.currency, gross: order.gross, trust: trustOf(order) }
    for (const changes of [this.#users.get(order.user), this.#sessions.get(order.session)]) {
      if (!changes) throw new Error(`the user or session of order ${order._id} is missing`)
      let gathered = this.#money.get(changes)
      if (!gathered) {
        gathered = new GatheredMoney()
        this.#money.set(changes, gathered)
      }
      gathered.add(value, sign)
    }
    this.#day(this.#dayNo(order.at)).addOrder(value, sign)
  }

  /** Each new day of the user goes between its neighbours (docs/decisions/003). */
  #addDays(user: UserRow, days: Set<number>): void {
    const known = unpackAscending(user.days.value())
    const before = known.length
    for (const dayNo of days) {
      let place = known.length
      while (place > 0 && known[place - 1]! > dayNo) place -= 1
      const previous = known[place - 1] ?? NO_DAY
      if (previous === dayNo) continue
      const next = known[place]
      known.splice(place, 0, dayNo)
      const day = this.#day(dayNo)
      day.users += 1
      day.addPair(previous, 1)
      if (next === undefined) continue
      this.#day(next).addPair(previous, -1)
      this.#day(next).addPair(dayNo, 1)
    }
    if (known.length > before) user.days = new Binary(packAscending(known))
  }

  #ofUser(_id: string, userId: string): Change<UserRow> {
    let change = this.#users.get(_id)
    if (!change) {
      const none = { events: 0, sessions: 0, orders: 0, firstAt: Number.POSITIVE_INFINITY, lastAt: 0 }
      const days = new Binary(packAscending([]))
      const after = { _id, fold: this.#fold, site: this.#siteId, user: orderKey(userId), ...none, days, money: [] }
      change = { before: undefined, after }
      this.#users.set(_id, change)
    }
    return change
  }

  #ofSession(user: string, sessionId: string, startAt: number): Change<SessionRow> {
    const _id = sessionRowId(user, sessionId)
    let change = this.#sessions.get(_id)
    if (!change) {
      const none = { events: 0, orders: 0, money: [] }
      const after = { _id, fold: this.#fold, user, session: orderKey(sessionId), startAt, endAt: startAt, ...none }
      change = { before: undefined, after }
      this.#sessions.set(_id, change)
    }
    return change
  }

  #addAside({ dayNo, reason, currency, purchases, gross }: AsideChange): void {
    this.#day(dayNo).addAside([reason, currency, purchases, gross])
  }

  #day(dayNo: number): DayChange {
    let day = this.#days.get(dayNo)
    if (!day) {
      day = new DayChange()
      this.#days.set(dayNo, day)
    }
    return day
  }

  #dayNo(instant: number): number {
    return dayNumberOf(this.#zone, instant)
  }
}

function othersOf(others: OrderSum['others']): Pick<OrderRow, 'others'> {
  return others.length === 0 ? {} : { others }
}

function planned<Name extends RollupName>(into: Name, { before, after }: Change<Rollups[Name]>): PlannedRow {
  return { into, isNew: before === undefined, row: after } as PlannedRow
}

/** The same for rows of which there are many: of one that is there only what changes is written. */
function changed<Name extends 'users' | 'sessions'>(into: Name, { before, after }: Change<Rollups[Name]>): PlannedRow {
  if (!before) return planned(into, { before, after })
  const set: Partial<Rollups[Name]> = {}
  for (const field of Object.keys(after) as (keyof Rollups[Name])[])
    if (after[field] !== before[field]) set[field] = after[field]
  return { into, isNew: false, row: after, set } as PlannedRow
}
