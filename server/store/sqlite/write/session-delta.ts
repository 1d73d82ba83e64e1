import { dayNumberOf } from '../../../analysis/zones.ts'
import type { OrderValue } from '../../figures.ts'
import type { Database } from '../database.ts'
import type { Known, SessionRow } from './known.ts'
import { MoneyDelta, moneyTable } from './money.ts'
import type { Numbers } from './numbers.ts'
import type { Rollups } from './rollups.ts'

/** What a batch adds to one session. */
export class SessionDelta {
  readonly sessionId: string
  #stored: SessionRow | undefined
  #money: MoneyDelta | undefined
  #startAt = Number.POSITIVE_INFINITY
  #endAt = Number.NEGATIVE_INFINITY
  #events = 0
  sessionNo = 0
  userNo = 0

  constructor(sessionId: string) {
    this.sessionId = sessionId
  }

  /** A stored session that has no event in the batch. */
  static of(row: SessionRow): SessionDelta {
    const session = new SessionDelta(row.session_id)
    session.#stored = row
    session.sessionNo = row.session_no
    session.userNo = row.user_no
    return session
  }

  addEvent(occurredAt: number): void {
    this.#events += 1
    if (occurredAt < this.#startAt) this.#startAt = occurredAt
    if (occurredAt > this.#endAt) this.#endAt = occurredAt
  }

  addOrder(order: OrderValue, sign: 1 | -1): void {
    this.#money ??= new MoneyDelta()
    this.#money.add(order, sign)
  }

  /** A new user has no stored sessions. */
  load(db: Database, known: Known, numbers: Numbers, userNo: number, isNewUser: boolean): void {
    this.userNo = userNo
    if (!isNewUser) this.#stored = known.session(db, userNo, this.sessionId)
    this.sessionNo = this.#stored?.session_no ?? numbers.nextSession()
  }

  /** True for a new session. A session counts on the day of its start, which a late event can move. */
  save(db: Database, known: Known, rollups: Rollups, zone: string): boolean {
    const stored = this.#stored
    const row: SessionRow = {
      session_no: this.sessionNo,
      user_no: this.userNo,
      session_id: this.sessionId,
      start_at: Math.min(stored?.start_at ?? this.#startAt, this.#startAt),
      end_at: Math.max(stored?.end_at ?? this.#endAt, this.#endAt),
      events: (stored?.events ?? 0) + this.#events,
      orders: (stored?.orders ?? 0) + (this.#money?.orders ?? 0),
    }
    if (stored) count(rollups, zone, stored, -1)
    count(rollups, zone, row, 1)
    const { session_no, user_no, session_id, start_at, end_at, events, orders } = row
    if (!stored) db.run(INSERT, session_no, user_no, session_id, start_at, end_at, events, orders)
    // The start is a key of an index, which is left alone as long as it stays.
    else if (start_at === stored.start_at) db.run(UPDATE, end_at, events, orders, session_no)
    else db.run(MOVE, start_at, end_at, events, orders, session_no)
    this.#money?.save(db, sessionMoney, session_no)
    known.keepSession(row)
    return !stored
  }
}

function count(rollups: Rollups, zone: string, row: SessionRow, sign: 1 | -1): void {
  const day = rollups.day(dayNumberOf(zone, row.start_at))
  day.sessions += sign
  if (row.orders > 0) day.orderingSessions += sign
}

const sessionMoney = moneyTable('session_money', 'session_no')
const INSERT = `INSERT INTO sessions (session_no, user_no, session_id, start_at, end_at, events, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const UPDATE = 'UPDATE sessions SET end_at = ?, events = ?, orders = ? WHERE session_no = ?'
const MOVE = 'UPDATE sessions SET start_at = ?, end_at = ?, events = ?, orders = ? WHERE session_no = ?'
