import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import type { OrderFigures, SessionFigures, UserFigures } from '../../figures.ts'
import { compareRanks } from '../../orders.ts'
import type { UsersAudit, UsersAuditQuery } from '../../store.ts'
import { UserCount, type UserRows, userDifferences } from '../../user-count.ts'
import type { Database } from '../database.ts'
import type { SiteRow } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { moneyOf, putOrder, putSessions, putUsers } from '../user-rows.ts'
import { Known } from '../write/known.ts'
import { trustOf } from '../write/money.ts'
import { findOrder } from '../write/order-rows.ts'
import { keptFromInstant } from './count-day.ts'

const STEP_USERS = 200
const STEP_MS = 500

/**
 * Compares what the roll-ups say of some users with their events, each in one state of the store: as many as come in half
 * a second, and one at least.
 */
export function auditUsers(db: Database, { siteId, since, after, one }: UsersAuditQuery): UsersAudit {
  const site = siteOf(db, siteId)
  if (!site) return { verdict: 'equal', users: 0, differences: [], next: null }
  const most = one ? 1 : STEP_USERS
  const users = db.all<UserNo>(SELECT_STEP, site.site_no, after ?? '', since, most)
  const differences: UsersAudit['differences'] = []
  const until = performance.now() + STEP_MS
  let done = 0
  do {
    const user = users[done]
    if (user && one !== 'pass over') differences.push(...db.read(() => audited(db, site, user)).differences)
    done += 1
  } while (done < users.length && performance.now() < until)
  const next = done < users.length || users.length === most ? users[done - 1]!.userId : null
  const verdict = differences.length === 0 ? 'equal' : 'different'
  return { verdict, users: Math.min(done, users.length), differences, next }
}

/** The rows of one user as they are and as they should be; null where they are right, or the user is not there. */
export function countUser(
  db: Database,
  { siteId, userId }: { siteId: string; userId: string },
): (Audited & { isWhole: boolean }) | null {
  return db.read(() => {
    const site = siteOf(db, siteId)
    const user = site && db.get<UserNo>(SELECT_USER, site.site_no, userId)
    if (!user) return null
    const { differences, ...rows } = audited(db, site, user)
    return differences.length === 0 ? null : rows
  })
}

/**
 * Puts rows in the place of the user's. False when they, or an order among them, are not those any more from which these
 * were worked out.
 */
export function mendUser(
  db: Database,
  { siteId, userId, rows }: { siteId: string; userId: string; rows: Audited },
): boolean {
  return db.write(() => {
    const site = siteOf(db, siteId)
    const user = site && db.get<UserNo>(SELECT_USER, site.site_no, userId)
    if (!user || userDifferences(storedRows(db, user.userNo), rows.stored).length > 0) return false
    if (rows.orders.some((order) => isTaken(db, site, order))) return false
    Known.of(db).forget()
    save(db, site.site_no, user, rows)
    return true
  })
}

function siteOf(db: Database, siteId: string): SiteRow | undefined {
  return db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
}

/** Whether the order counts by another purchase meanwhile, which comes before this one. */
function isTaken(db: Database, site: SiteRow, order: OrderFigures): boolean {
  const counting = findOrder(db, site.site_no, order.orderId)
  return counting !== undefined && compareRanks(counting, order) <= 0
}

/** Counts every user of a site again; within a transaction. */
export function recountUsers(db: Database, site: SiteRow): void {
  Known.of(db).forget()
  for (const user of db.all<UserNo>(SELECT_ALL, site.site_no)) {
    const { differences, isWhole, ...rows } = audited(db, site, user)
    if (differences.length > 0 && isWhole) save(db, site.site_no, user, rows)
  }
}

interface UserNo {
  userNo: number
  userId: string
}

export interface Audited {
  stored: UserRows
  expected: UserRows
  /** That count by purchases of this user and are not there, or count by another. */
  orders: OrderFigures[]
}

function audited(
  db: Database,
  site: SiteRow,
  { userNo, userId }: UserNo,
): Audited & { differences: UsersAudit['differences']; isWhole: boolean } {
  const stored = storedRows(db, userNo)
  const count = new UserCount(site.time_zone, keptFromInstant(db))
  const orders = new Map<string, OrderFigures>()
  const months = db.all<{ month: number }>('SELECT month FROM months ORDER BY month').map((row) => row.month)
  let isWhole = true
  for (const month of months)
    for (const { sessionId, sessionNo, ...events } of db.each<EventsRow>(selectEvents(month), userNo)) {
      count.addEvents(sessionId ?? nameless(sessionNo), events)
      if (sessionId === null) isWhole = false
    }
  // One after another: a user may have very many, and they may be large.
  for (const month of months)
    for (const row of db.each<PurchaseRow>(selectPurchases(month), userNo))
      countOrder(db, site, count, orders, userId, row)
  if (orders.size > 0) {
    for (const month of months)
      for (const row of db.each<PurchaseRow>(selectPurchases(month), userNo)) uncountOrder(db, site, count, orders, row)
    for (const order of orders.values()) count.addOrder(order.sessionId, order)
  }
  const expected = count.expected(stored)
  const differences = userDifferences(stored, expected).map((difference) => ({ userId, ...difference }))
  for (const { orderId } of orders.values())
    differences.push({ userId, figure: `order ${orderId}: counts by`, stored: 0, counted: 1 })
  return { stored, expected, orders: [...orders.values()], differences, isWhole }
}

/**
 * Counts the purchase if it is the one that its order counts by, which the order's row tells. Of those that come before
 * that one the first goes into `missing`.
 */
function countOrder(
  db: Database,
  site: SiteRow,
  count: UserCount,
  missing: Map<string, OrderFigures>,
  userId: string,
  row: PurchaseRow,
): void {
  const found = readRow(db, site, row)
  if (!found || found.later > 0) return
  const { purchase, place, sessionId, later, others } = found
  if (later === 0) {
    count.addOrder(sessionId, { ...purchase, trust: place.trust })
    return
  }
  const first = missing.get(purchase.orderId)
  if (!first || compareRanks(place, first) < 0)
    missing.set(purchase.orderId, { ...purchase, ...place, userId, sessionId, others })
}

/** Takes the purchase back that an order's row has, where another one is before it. */
function uncountOrder(
  db: Database,
  site: SiteRow,
  count: UserCount,
  missing: ReadonlyMap<string, OrderFigures>,
  row: PurchaseRow,
): void {
  const found = readRow(db, site, row)
  if (found?.later !== 0 || !missing.has(found.purchase.orderId)) return
  count.addOrder(found.sessionId, { ...found.purchase, trust: found.place.trust }, -1)
}

/** A purchase beside the one that its order counts by: `later` is below 0 where it comes before that one. */
function readRow(db: Database, site: SiteRow, row: PurchaseRow) {
  const reading = readPurchase(JSON.parse(row.payload))
  if (!('purchase' in reading)) return null
  const { purchase } = reading
  const trust = trustOf(row.claimed)
  const place = { occurredAt: row.occurredAt, seq: row.seq, eventId: decodeEventId(row.event_id), trust }
  const counting = findOrder(db, site.site_no, purchase.orderId)
  return {
    ...{ purchase, place, sessionId: row.sessionId ?? nameless(row.sessionNo), others: counting?.others ?? [] },
    later: counting ? compareRanks(place, counting) : -1,
  }
}

function storedRows(db: Database, userNo: number): UserRows {
  const user = db.get<UserFigures>(SELECT_FIGURES, userNo)!
  const days = db.all<{ day_no: number }>('SELECT day_no FROM user_days WHERE user_no = ? ORDER BY day_no', userNo)
  const sessions = db.all<SessionFigures & { sessionNo: number }>(SELECT_SESSIONS, userNo)
  return {
    user: { ...user, money: moneyOf(db, 'user', userNo), days: days.map(({ day_no }) => day_no) },
    sessions: sessions.map(({ sessionNo, ...session }) => ({ ...session, money: moneyOf(db, 'session', sessionNo) })),
  }
}

function save(db: Database, siteNo: number, { userNo, userId }: UserNo, { stored, expected, orders }: Audited): void {
  const ids = new Set(expected.sessions.map(({ sessionId }) => sessionId))
  for (const { sessionId } of stored.sessions) {
    if (ids.has(sessionId)) continue
    db.run(DELETE_SESSION_MONEY, userNo, sessionId)
    db.run('DELETE FROM sessions WHERE user_no = ? AND session_id = ?', userNo, sessionId)
  }
  if (expected.user) putUsers(db, siteNo, [expected.user])
  else
    for (const table of ['users', 'user_money', 'user_days']) db.run(`DELETE FROM ${table} WHERE user_no = ?`, userNo)
  putSessions(
    db,
    siteNo,
    expected.sessions.map((session) => ({ ...session, userId })),
  )
  for (const order of orders) putOrder(db, siteNo, order)
}

function nameless(sessionNo: number): string {
  return `number ${sessionNo} without a row`
}

interface EventsRow {
  sessionNo: number
  sessionId: string | null
  events: number
  firstAt: number
  lastAt: number
}

interface PurchaseRow {
  sessionNo: number
  sessionId: string | null
  occurredAt: number
  seq: number
  event_id: string | Uint8Array
  claimed: number
  payload: string
}

/** Days begin at a quarter of an hour. */
function selectEvents(month: number): string {
  return `SELECT e.session_no AS sessionNo, s.session_id AS sessionId, count(*) AS events, min(e.occurred_at) AS firstAt, max(e.occurred_at) AS lastAt
    FROM events_${month} e LEFT JOIN sessions s ON s.session_no = e.session_no
    WHERE e.user_no = ? GROUP BY e.session_no, e.occurred_at / 900000`
}

function selectPurchases(month: number): string {
  return `SELECT e.session_no AS sessionNo, s.session_id AS sessionId, e.occurred_at AS occurredAt, e.seq, e.event_id,
      e.claimed, e.payload
    FROM events_${month} e CROSS JOIN event_types t ON t.type_no = e.type_no AND t.name = 'purchase'
    LEFT JOIN sessions s ON s.session_no = e.session_no
    WHERE e.user_no = ? AND e.payload IS NOT NULL`
}

const SELECT_STEP = `SELECT user_no AS userNo, user_id AS userId FROM users
  WHERE site_no = ? AND user_id > ? AND last_at >= ? ORDER BY user_id LIMIT ?`
const SELECT_ALL = 'SELECT user_no AS userNo, user_id AS userId FROM users WHERE site_no = ?'
const SELECT_USER = 'SELECT user_no AS userNo, user_id AS userId FROM users WHERE site_no = ? AND user_id = ?'
const SELECT_FIGURES = `SELECT user_id AS userId, first_at AS firstAt, last_at AS lastAt, events, sessions, orders
  FROM users WHERE user_no = ?`
const SELECT_SESSIONS = `SELECT session_no AS sessionNo, session_id AS sessionId, start_at AS startAt, end_at AS endAt,
  events, orders FROM sessions WHERE user_no = ?`
const DELETE_SESSION_MONEY = `DELETE FROM session_money WHERE session_no =
  (SELECT session_no FROM sessions WHERE user_no = ? AND session_id = ?)`
