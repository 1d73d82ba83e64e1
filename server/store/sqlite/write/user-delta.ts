import { dayNumberOf } from '../../../analysis/zones.ts'
import type { OrderValue } from '../../figures.ts'
import type { TotalsCount } from '../audit/totals-count.ts'
import type { Database } from '../database.ts'
import type { Known, UserRow } from './known.ts'
import { MoneyDelta, moneyTable } from './money.ts'
import type { Numbers } from './numbers.ts'
import { NO_DAY, type Rollups } from './rollups.ts'
import { SessionDelta } from './session-delta.ts'

/** What a batch adds to one user. */
export class UserDelta {
  readonly #siteNo: number
  readonly #userId: string
  readonly #sessions = new Map<string, SessionDelta>()
  readonly #days: number[] = []
  #stored: UserRow | undefined
  #money: MoneyDelta | undefined
  #firstAt = Number.POSITIVE_INFINITY
  #lastAt = Number.NEGATIVE_INFINITY
  #events = 0
  userNo = 0

  constructor(siteNo: number, userId: string) {
    this.#siteNo = siteNo
    this.#userId = userId
  }

  /** A stored user that has no event in the batch. */
  static of(row: UserRow): UserDelta {
    const user = new UserDelta(row.site_no, row.user_id)
    user.#stored = row
    user.userNo = row.user_no
    return user
  }

  addEvent(sessionId: string, dayNo: number, occurredAt: number): SessionDelta {
    this.#events += 1
    if (!this.#days.includes(dayNo)) this.#days.push(dayNo)
    if (occurredAt < this.#firstAt) this.#firstAt = occurredAt
    if (occurredAt > this.#lastAt) this.#lastAt = occurredAt
    let session = this.#sessions.get(sessionId)
    if (!session) {
      session = new SessionDelta(sessionId)
      this.#sessions.set(sessionId, session)
    }
    session.addEvent(occurredAt)
    return session
  }

  addOrder(order: OrderValue, sign: 1 | -1): void {
    this.#money ??= new MoneyDelta()
    this.#money.add(order, sign)
  }

  /** A session of this user, whether the batch has events of it or not. */
  sessionByNo(db: Database, known: Known, sessionNo: number): SessionDelta {
    for (const session of this.#sessions.values()) if (session.sessionNo === sessionNo) return session
    const session = SessionDelta.of(known.sessionByNo(db, sessionNo))
    this.#sessions.set(session.sessionId, session)
    return session
  }

  /** Finds the numbers and former totals of the user and its sessions; new ones get numbers. */
  load(db: Database, known: Known, numbers: Numbers): void {
    this.#stored = known.user(db, this.#siteNo, this.#userId)
    this.userNo = this.#stored?.user_no ?? numbers.nextUser()
    for (const session of this.#sessions.values()) session.load(db, known, numbers, this.userNo, !this.#stored)
  }

  save(db: Database, known: Known, rollups: Rollups, zone: string, totals: TotalsCount | null): void {
    let newSessions = 0
    for (const session of this.#sessions.values()) if (session.save(db, known, rollups, zone)) newSessions += 1
    rollups.sessions += newSessions
    this.#saveDays(db, rollups, zone)
    const stored = this.#stored
    const row: UserRow = {
      user_no: this.userNo,
      site_no: this.#siteNo,
      user_id: this.#userId,
      first_at: Math.min(stored?.first_at ?? this.#firstAt, this.#firstAt),
      last_at: Math.max(stored?.last_at ?? this.#lastAt, this.#lastAt),
      events: (stored?.events ?? 0) + this.#events,
      sessions: (stored?.sessions ?? 0) + newSessions,
      orders: (stored?.orders ?? 0) + (this.#money?.orders ?? 0),
    }
    totals?.changed(this.#siteNo, stored, row)
    if (stored) update(db, stored, row)
    else {
      rollups.users += 1
      const { user_no, site_no, user_id, first_at, last_at, events, sessions, orders } = row
      db.run(INSERT, user_no, site_no, user_id, first_at, last_at, events, sessions, orders)
    }
    this.#money?.save(db, userMoney, this.userNo)
    known.keepUser(row)
  }

  /** Most events are of the user's newest day, which is known without looking. */
  #saveDays(db: Database, rollups: Rollups, zone: string): void {
    const stored = this.#stored
    let first = stored ? dayNumberOf(zone, stored.first_at) : null
    let last = stored ? dayNumberOf(zone, stored.last_at) : null
    for (const dayNo of this.#days) {
      if (dayNo === first || dayNo === last) continue
      if (db.run(INSERT_DAY, this.userNo, dayNo) === 0) continue
      if (first === null || last === null) {
        rollups.addUserDay(dayNo, NO_DAY, null)
        first = dayNo
        last = dayNo
      } else if (dayNo > last) {
        rollups.addUserDay(dayNo, last, null)
        last = dayNo
      } else if (dayNo < first) {
        rollups.addUserDay(dayNo, NO_DAY, first)
        first = dayNo
      } else {
        const near = db.get<{ previous: number; next: number }>(SELECT_NEAR_DAYS, this.userNo, dayNo)!
        rollups.addUserDay(dayNo, near.previous, near.next)
      }
    }
  }
}

const columns = ['first_at', 'last_at', 'events', 'sessions', 'orders'] as const
/** By the set of columns that change, as bits: each column is a key of an index, so the others are not named. */
const updates = Array.from({ length: 2 ** columns.length }, (_, changed) => {
  const sets = columns.filter((_, bit) => changed & (1 << bit)).map((column) => `${column} = ?`)
  return `UPDATE users SET ${sets.join(', ')} WHERE user_no = ?`
})

function update(db: Database, before: UserRow, after: UserRow): void {
  let changed = 0
  const values: number[] = []
  for (let bit = 0; bit < columns.length; bit++) {
    const column = columns[bit]!
    if (before[column] === after[column]) continue
    changed |= 1 << bit
    values.push(after[column])
  }
  if (changed !== 0) db.run(updates[changed]!, ...values, after.user_no)
}

const userMoney = moneyTable('user_money', 'user_no')
const INSERT = `INSERT INTO users (user_no, site_no, user_id, first_at, last_at, events, sessions, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
const INSERT_DAY = 'INSERT OR IGNORE INTO user_days (user_no, day_no) VALUES (?, ?)'
const SELECT_NEAR_DAYS = `SELECT
  (SELECT max(day_no) FROM user_days WHERE user_no = ?1 AND day_no < ?2) AS previous,
  (SELECT min(day_no) FROM user_days WHERE user_no = ?1 AND day_no > ?2) AS next`
