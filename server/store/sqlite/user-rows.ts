import type { ExactMoney, OrderFigures, SessionFigures, UserFigures } from '../figures.ts'
import { TotalsCount } from './audit/totals-count.ts'
import type { Database } from './database.ts'
import { encodeEventId } from './event-id.ts'
import { allMoney, MONEY_COLUMNS } from './write/money.ts'

/** Puts figures in the place of those that the roll-ups have of the users; new ones get numbers. */
export function putUsers(db: Database, siteNo: number, users: readonly UserFigures[]): void {
  TotalsCount.end(db)
  for (const { userId, firstAt, lastAt, events, sessions, orders, money, days } of users) {
    db.run(PUT_USER, siteNo, userId, firstAt, lastAt, events, sessions, orders)
    const { no } = db.get<{ no: number }>(SELECT_USER, siteNo, userId)!
    putMoney(db, 'user', no, money)
    db.run('DELETE FROM user_days WHERE user_no = ?', no)
    for (const day of days) db.run('INSERT INTO user_days (user_no, day_no) VALUES (?, ?)', no, day)
  }
}

/** The same of sessions, whose users must be there. */
export function putSessions(
  db: Database,
  siteNo: number,
  sessions: readonly (SessionFigures & { userId: string })[],
): void {
  for (const { userId, sessionId, startAt, endAt, events, orders, money } of sessions) {
    const user = db.get<{ no: number }>(SELECT_USER, siteNo, userId)
    if (!user) throw new Error(`the user of session ${sessionId} is missing`)
    db.run(PUT_SESSION, user.no, sessionId, startAt, endAt, events, orders)
    const { no } = db.get<{ no: number }>(SELECT_SESSION, user.no, sessionId)!
    putMoney(db, 'session', no, money)
  }
}

export function moneyOf(db: Database, kind: 'user' | 'session', no: number): ExactMoney {
  return allMoney(db, `SELECT ${MONEY_COLUMNS} FROM ${kind}_money WHERE ${kind}_no = ?`, no)
}

/** Puts an order in the place of the one with its id; its session must be there. */
export function putOrder(db: Database, siteNo: number, order: OrderFigures): void {
  const { orderId, occurredAt, seq, eventId, trust, userId, sessionId, currency, gross, others } = order
  const changed = db.run(
    REPLACE_ORDER,
    ...[siteNo, orderId, occurredAt, seq, encodeEventId(eventId), currency, gross],
    ...[userId, sessionId],
    ...[trust === 'claimed' ? 1 : 0, others.length === 0 ? null : JSON.stringify(others)],
  )
  if (changed === 0) throw new Error(`the session of order ${orderId} is missing`)
}

function putMoney(db: Database, kind: 'user' | 'session', no: number, money: ExactMoney): void {
  db.run(`DELETE FROM ${kind}_money WHERE ${kind}_no = ?`, no)
  for (const sums of money)
    db.run(
      `INSERT INTO ${kind}_money (${kind}_no, currency, orders, gross, claimed_orders, claimed_gross)
        VALUES (?, ?, ?, ?, ?, ?)`,
      no,
      ...sums,
    )
}

const SELECT_USER = 'SELECT user_no AS no FROM users WHERE site_no = ? AND user_id = ?'
const SELECT_SESSION = 'SELECT session_no AS no FROM sessions WHERE user_no = ? AND session_id = ?'
/** The tables give the next numbers. */
const PUT_USER = `INSERT INTO users (site_no, user_id, first_at, last_at, events, sessions, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (site_no, user_id) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at,
    events = excluded.events, sessions = excluded.sessions, orders = excluded.orders`
const PUT_SESSION = `INSERT INTO sessions (user_no, session_id, start_at, end_at, events, orders)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (user_no, session_id) DO UPDATE SET start_at = excluded.start_at, end_at = excluded.end_at,
    events = excluded.events, orders = excluded.orders`
const REPLACE_ORDER = `INSERT OR REPLACE INTO orders
    (site_no, order_id, occurred_at, seq, event_id, currency, gross, user_no, session_no, claimed, others)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, u.user_no, s.session_no, ?10, ?11
  FROM users u JOIN sessions s ON s.user_no = u.user_no
  WHERE u.site_no = ?1 AND u.user_id = ?8 AND s.session_id = ?9`
