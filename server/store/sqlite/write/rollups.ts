import type { Database } from '../database.ts'
import { AsideDelta, MoneyDelta, moneyTable } from './money.ts'

/** previous_day_no of a user's first day. Day -1 exists: 1970-01-01 UTC is 1969 in the west. */
export const NO_DAY = -2

/** What a batch adds to one day of a site. */
class DayDelta {
  events = 0
  users = 0
  sessions = 0
  orderingSessions = 0
  readonly types = new Map<number, number>()
  readonly money = new MoneyDelta()
  readonly aside = new AsideDelta()
  /** By the previous active day. */
  readonly pairs = new Map<number, number>()
}

/** Sums of one batch for one site, so that each roll-up row is written once. */
export class Rollups {
  readonly #db: Database
  readonly #siteNo: number
  readonly #days = new Map<number, DayDelta>()
  readonly #hours = new Map<number, number>()
  events = 0
  users = 0
  sessions = 0
  firstAt = Number.POSITIVE_INFINITY
  lastAt = Number.NEGATIVE_INFINITY
  lastReceivedAt = Number.NEGATIVE_INFINITY

  constructor(db: Database, siteNo: number) {
    this.#db = db
    this.#siteNo = siteNo
  }

  day(dayNo: number): DayDelta {
    let day = this.#days.get(dayNo)
    if (!day) {
      day = new DayDelta()
      this.#days.set(dayNo, day)
    }
    return day
  }

  addEvent(dayNo: number, hourStart: number, typeNo: number, occurredAt: number, receivedAt: number): void {
    const day = this.day(dayNo)
    day.events += 1
    add(day.types, typeNo, 1)
    add(this.#hours, hourStart, 1)
    this.events += 1
    if (occurredAt < this.firstAt) this.firstAt = occurredAt
    if (occurredAt > this.lastAt) this.lastAt = occurredAt
    if (receivedAt > this.lastReceivedAt) this.lastReceivedAt = receivedAt
  }

  /**
   * A user became active on a day. Users active in a..b are the pairs with a day in a..b whose previous day is before
   * a: exactly one for each of them, the first in the range.
   */
  addUserDay(dayNo: number, previous: number, next: number | null): void {
    const day = this.day(dayNo)
    day.users += 1
    add(day.pairs, previous, 1)
    if (next === null) return
    const { pairs } = this.day(next)
    add(pairs, previous, -1)
    add(pairs, dayNo, 1)
  }

  save(): void {
    const db = this.#db
    const site = this.#siteNo
    for (const [dayNo, day] of this.#days) {
      db.run(UPSERT_DAY, site, dayNo, day.events, day.users, day.sessions, day.orderingSessions, day.money.orders)
      for (const [typeNo, events] of day.types) db.run(UPSERT_TYPE, site, dayNo, typeNo, events)
      day.money.save(db, dayMoney, site, dayNo)
      day.aside.save(db, site, dayNo)
      for (const [previous, users] of day.pairs) {
        if (users === 0) continue
        db.run(UPSERT_PAIR, site, dayNo, previous, users)
        if (users < 0) db.run(DELETE_PAIR, site, dayNo, previous)
      }
    }
    for (const [start, events] of this.#hours) db.run(UPSERT_HOUR, site, start, events)
    if (this.events > 0)
      db.run(UPDATE_SITE, this.events, this.users, this.sessions, this.firstAt, this.lastAt, this.lastReceivedAt, site)
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

const dayMoney = moneyTable('day_money', 'site_no', 'day_no')
const UPSERT_DAY = `INSERT INTO days (site_no, day_no, events, users, sessions, ordering_sessions, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET events = events + excluded.events, users = users + excluded.users,
    sessions = sessions + excluded.sessions, ordering_sessions = ordering_sessions + excluded.ordering_sessions,
    orders = orders + excluded.orders`
const UPSERT_TYPE = `INSERT INTO day_types (site_no, day_no, type_no, events) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET events = events + excluded.events`
const UPSERT_PAIR = `INSERT INTO day_pairs (site_no, day_no, previous_day_no, users) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET users = users + excluded.users`
const DELETE_PAIR = 'DELETE FROM day_pairs WHERE site_no = ? AND day_no = ? AND previous_day_no = ? AND users = 0'
const UPSERT_HOUR = `INSERT INTO hours (site_no, start_at, events) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET events = events + excluded.events`
const UPDATE_SITE = `UPDATE sites SET events = events + ?1, users = users + ?2, sessions = sessions + ?3,
    first_at = min(coalesce(first_at, ?4), ?4), last_at = max(coalesce(last_at, ?5), ?5),
    last_received_at = max(coalesce(last_received_at, ?6), ?6)
  WHERE site_no = ?7`
