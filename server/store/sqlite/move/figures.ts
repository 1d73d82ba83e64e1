import type { OrderFigures } from '../../figures.ts'
import type { MovedFigures } from '../../store.ts'
import type { Database } from '../database.ts'
import { type SiteRow, saveDay, storedDay } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { moneyOf, putOrder, putSessions, putUsers } from '../user-rows.ts'
import { Known } from '../write/known.ts'
import { trustOf } from '../write/money.ts'

type Place = { kind: 'users' | 'sessions' | 'days'; after: number } | { kind: 'orders'; after: string }

const STEP_ROWS = 1000
const STEP_DAYS = 100

/** One step along the key of one table after the other. */
export function movedFigures(
  db: Database,
  { siteId, place: text }: { siteId: string; place: string | null },
): { rows: MovedFigures; next: string | null } {
  const rows: MovedFigures = { users: [], sessions: [], orders: [], days: [], totals: null }
  const site = db.get<SiteRow & Totals>('SELECT * FROM sites WHERE id = ?', siteId)
  if (!site) return { rows, next: null }
  const place: Place = text === null ? { kind: 'users', after: 0 } : (JSON.parse(text) as Place)
  const next = (to: Place | null) => ({ rows, next: to && JSON.stringify(to) })
  if (place.kind === 'users') {
    rows.users = usersAfter(db, site, place.after)
    const isMore = place.after + STEP_ROWS < largest(db, 'user_no', 'users')
    return next(isMore ? { ...place, after: place.after + STEP_ROWS } : { kind: 'sessions', after: 0 })
  }
  if (place.kind === 'sessions') {
    rows.sessions = sessionsAfter(db, site, place.after)
    const isMore = place.after + STEP_ROWS < largest(db, 'session_no', 'sessions')
    return next(isMore ? { ...place, after: place.after + STEP_ROWS } : { kind: 'orders', after: '' })
  }
  if (place.kind === 'orders') {
    rows.orders = ordersAfter(db, site, place.after)
    const last = rows.orders.at(STEP_ROWS - 1)
    return next(last ? { ...place, after: last.orderId } : { kind: 'days', after: Number.MIN_SAFE_INTEGER })
  }
  const days = db.all<{ day_no: number }>(SELECT_DAYS, site.site_no, place.after)
  rows.days = days.map(({ day_no }) => ({ ...storedDay(db, site, day_no), dayNo: day_no }))
  const last = days.at(STEP_DAYS - 1)
  if (last) return next({ ...place, after: last.day_no })
  const { events, users, sessions, first_at, last_at, last_received_at } = site
  if (first_at !== null && last_at !== null && last_received_at !== null)
    rows.totals = { events, users, sessions, firstAt: first_at, lastAt: last_at, lastReceivedAt: last_received_at }
  return next(null)
}

export function putFigures(db: Database, { siteId, rows }: { siteId: string; rows: MovedFigures }): void {
  db.write(() => {
    Known.of(db).forget()
    const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
    if (!site) throw new Error(`site ${siteId} is missing`)
    putUsers(db, site.site_no, rows.users)
    putSessions(db, site.site_no, rows.sessions)
    for (const order of rows.orders) putOrder(db, site.site_no, order)
    for (const { dayNo, ...day } of rows.days) saveDay(db, site, dayNo, day)
    if (!rows.totals) return
    const { events, users, sessions, firstAt, lastAt, lastReceivedAt } = rows.totals
    db.run(UPDATE_TOTALS, events, users, sessions, firstAt, lastAt, lastReceivedAt, site.site_no)
  })
}

interface Totals {
  events: number
  users: number
  sessions: number
  first_at: number | null
  last_at: number | null
  last_received_at: number | null
}

function largest(db: Database, column: string, table: string): number {
  return db.get<{ last: number | null }>(`SELECT max(${column}) AS last FROM ${table}`)?.last ?? 0
}

function usersAfter(db: Database, { site_no }: SiteRow, after: number): MovedFigures['users'] {
  const users = db.all<MovedFigures['users'][number] & { userNo: number }>(
    SELECT_USERS,
    after,
    after + STEP_ROWS,
    site_no,
  )
  return users.map(({ userNo, ...user }) => ({
    ...user,
    money: moneyOf(db, 'user', userNo),
    days: db.all<{ day_no: number }>(SELECT_USER_DAYS, userNo).map(({ day_no }) => day_no),
  }))
}

function sessionsAfter(db: Database, { site_no }: SiteRow, after: number): MovedFigures['sessions'] {
  const found = db.all<MovedFigures['sessions'][number] & { sessionNo: number }>(
    SELECT_SESSIONS,
    after,
    after + STEP_ROWS,
    site_no,
  )
  return found.map(({ sessionNo, ...session }) => ({ ...session, money: moneyOf(db, 'session', sessionNo) }))
}

type StoredOrder = Omit<OrderFigures, 'eventId' | 'trust' | 'others'> & {
  event_id: string | Uint8Array
  claimed: number
  others: string | null
}

function ordersAfter(db: Database, { site_no }: SiteRow, after: string): OrderFigures[] {
  return db.all<StoredOrder>(SELECT_ORDERS, site_no, after).map(({ event_id, claimed, others, ...order }) => ({
    ...order,
    eventId: decodeEventId(event_id),
    trust: trustOf(claimed),
    others: others === null ? [] : (JSON.parse(others) as OrderFigures['others']),
  }))
}

const SELECT_USERS = `SELECT user_no AS userNo, user_id AS userId, first_at AS firstAt, last_at AS lastAt, events, sessions,
    orders FROM users WHERE user_no > ? AND user_no <= ? AND +site_no = ?`
const SELECT_USER_DAYS = 'SELECT day_no FROM user_days WHERE user_no = ? ORDER BY day_no'
const SELECT_SESSIONS = `SELECT s.session_no AS sessionNo, u.user_id AS userId, s.session_id AS sessionId,
    s.start_at AS startAt, s.end_at AS endAt, s.events, s.orders
  FROM sessions s CROSS JOIN users u ON u.user_no = s.user_no
  WHERE s.session_no > ? AND s.session_no <= ? AND u.site_no = ?`
const SELECT_ORDERS = `SELECT o.order_id AS orderId, o.occurred_at AS occurredAt, o.seq, o.event_id, u.user_id AS userId,
    s.session_id AS sessionId, o.currency, o.gross, o.claimed, o.others
  FROM orders o CROSS JOIN users u ON u.user_no = o.user_no CROSS JOIN sessions s ON s.session_no = o.session_no
  WHERE o.site_no = ? AND o.order_id > ? ORDER BY o.order_id LIMIT ${STEP_ROWS}`
const SELECT_DAYS = `SELECT day_no FROM days WHERE site_no = ? AND day_no > ? ORDER BY day_no LIMIT ${STEP_DAYS}`
const UPDATE_TOTALS = `UPDATE sites SET events = ?, users = ?, sessions = ?, first_at = ?, last_at = ?,
  last_received_at = ? WHERE site_no = ?`
