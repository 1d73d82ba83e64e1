import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf, monthStart } from '../../../analysis/months.ts'
import { dayName, dayNumber, dayStretches, hourStart, type Stretch } from '../../../analysis/zones.ts'
import { AppError } from '../../../errors.ts'
import { PartOrders } from '../../part-orders.ts'
import { type PartFigures, toOverview, withPart } from '../../range-figures.ts'
import type { UntilQuery, UntilRow } from '../../store.ts'
import { type Database, inTime } from '../database.ts'
import type { SiteRow } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { keptFrom } from '../retention.ts'
import { trustOf } from '../write/money.ts'
import { rangeFigures } from './overview.ts'

/** Longest work on one count: less than its thread has for it. */
const COUNT_MS = 25_000
/** A day with more events up to the instant would not be counted in that time. */
const MOST_EVENTS = 5_000_000

type Missing = { missing: 'not_kept' | 'too_many' }

/** Roll-ups of the days before the last, and the events of the last up to the instant, all of one state of the store. */
export function overviewUntil(db: Database, { siteId, from, to, until }: UntilQuery): UntilRow | Missing {
  const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
  if (!site) return { ...toOverview({ users: 0, types: [], aside: [], days: [] }), lastHour: 0 }
  const [first, last] = [dayNumber(from), dayNumber(to)]
  const stretches = dayStretches(site.time_zone, to).flatMap((stretch) =>
    stretch.from < until ? [{ from: stretch.from, until: Math.min(stretch.until, until) }] : [],
  )
  const kept = keptFrom(db)
  if (kept > 0 && stretches.some((stretch) => stretch.from < monthStart(kept))) return { missing: 'not_kept' }
  const { events = 0 } = db.get<{ events: number }>(SELECT_EVENTS, site.site_no, ...boundsOf(stretches)) ?? {}
  if (events > MOST_EVENTS) return { missing: 'too_many' }
  const before = rangeFigures(db, site.site_no, first, last - 1)
  const part = inCountTime(db, () => countPart(db, site, { first, last, stretches, until }))
  if (!part) return { missing: 'too_many' }
  return { ...toOverview(withPart(before, dayName(last), part)), lastHour: part.lastHour }
}

/** From the first to the last instant. */
function boundsOf(stretches: Stretch[]): [number, number] {
  return [stretches[0]?.from ?? 0, stretches.at(-1)?.until ?? 0]
}

/** Null when there was not enough time. */
function inCountTime<Result>(db: Database, work: () => Result): Result | null {
  try {
    return db.within(COUNT_MS, work)
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return null
    throw error
  }
}

interface Part {
  first: number
  last: number
  stretches: Stretch[]
  until: number
}

function countPart(
  db: Database,
  { site_no, time_zone }: SiteRow,
  { first, last, stretches, until }: Part,
): PartFigures {
  const pieces = piecesOf(db, stretches)
  const isStart = (at: number) => stretches.some(({ from, until }) => from <= at && at < until)
  const orders = new PartOrders<number>()
  for (const row of allOf<PurchaseRow>(db, pieces, selectPurchases, site_no)) {
    const payload = row.payload === null ? null : (JSON.parse(row.payload) as Record<string, unknown>)
    orders.addPurchase(rankOf(row), row.session_no, readPurchase(payload))
  }
  for (const orderId of orders.orderIds) {
    const row = db.get<OrderRow>(SELECT_ORDER, site_no, orderId)
    orders.addOrder(orderId, row && { ...rankOf(row), currency: row.currency, gross: row.gross })
  }
  const ordering = [...orders.sessions].filter((session) =>
    isStart(db.get<{ start_at: number }>(SELECT_START, session)!.start_at),
  )
  const lastHourStart = hourStart(time_zone, until - 1)
  const types = allOf<TypeRow>(db, pieces, selectTypes, site_no, lastHourStart)
  const [users] = allOf<UsersRow>(db, pieces, selectUsers, site_no, first, last - 1)
  const [sessions] = allOf<{ sessions: number }>(db, pieces, selectSessions, site_no)
  return {
    events: types.reduce((sum, { events }) => sum + events, 0),
    users: users?.users ?? 0,
    moreUsers: users?.more ?? 0,
    sessions: sessions?.sessions ?? 0,
    orderingSessions: ordering.length,
    orders: orders.orders,
    money: orders.money,
    aside: orders.aside,
    types: types.map(({ type, events }) => [type, events]),
    lastHour: types.reduce((sum, { lastHour }) => sum + lastHour, 0),
  }
}

/** A stretch of the events of one month. */
interface Piece {
  month: number
  index: string
  range: [from: number, until: number]
}

function piecesOf(db: Database, stretches: Stretch[]): Piece[] {
  return stretches.flatMap(({ from, until }) =>
    db
      .all<{ month: number }>(SELECT_MONTHS, monthOf(from), monthOf(until - 1))
      .map(({ month }): Piece => ({ month, index: indexOf(db, month), range: [from, until] })),
  )
}

/** Months of older programs have no index by time: the one by users has the time as well, and is read as a whole. */
function indexOf(db: Database, month: number): string {
  const byTime = `events_${month}_by_time`
  const isThere = db.get("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", byTime)
  return isThere ? byTime : `events_${month}_by_user`
}

/** Asks for the events of all pieces together. `more` are the first parameters of the question, the site's number ?1. */
function allOf<Row>(
  db: Database,
  pieces: Piece[],
  select: (events: Events, within: (column: string) => string) => string,
  ...more: number[]
): Row[] {
  if (pieces.length === 0) return []
  const withins = pieces.map((_, place) => {
    const from = more.length + 2 * place + 1
    return (column: string) => `${column} >= ?${from} AND ${column} < ?${from + 1}`
  })
  const events = (columns: string, condition = '1') =>
    pieces
      .map(
        ({ month, index }, place) => `SELECT ${columns} FROM events_${month} INDEXED BY ${index}
          WHERE ${withins[place]!('occurred_at')} AND ${inTime('event_no')} AND ${condition}`,
      )
      .join(' UNION ALL ')
  const within = (column: string) => `(${withins.map((one) => one(column)).join(' OR ')})`
  return db.all<Row>(select(events, within), ...more, ...pieces.flatMap(({ range }) => range))
}

type Events = (columns: string, condition?: string) => string

interface TypeRow {
  type: string
  events: number
  lastHour: number
}

interface UsersRow {
  users: number
  /** Not active on the days before. */
  more: number
}

interface RankRow {
  seq: number
  event_id: string | Uint8Array
  claimed: number
}

interface PurchaseRow extends RankRow {
  session_no: number
  payload: string | null
}

interface OrderRow extends RankRow {
  currency: string
  gross: number
}

function rankOf({ claimed, seq, event_id }: RankRow) {
  return { trust: trustOf(claimed), seq, eventId: decodeEventId(event_id) }
}

function selectTypes(events: Events): string {
  return `SELECT t.name AS type, count(*) AS events, sum(f.occurred_at >= ?2) AS lastHour
    FROM (${events('user_no, type_no, occurred_at')}) f CROSS JOIN users u ON u.user_no = f.user_no AND u.site_no = ?1
    CROSS JOIN event_types t ON t.type_no = f.type_no GROUP BY f.type_no`
}

function selectUsers(events: Events): string {
  return `SELECT count(*) AS users, coalesce(sum(NOT EXISTS (
      SELECT 1 FROM user_days d WHERE d.user_no = f.user_no AND d.day_no BETWEEN ?2 AND ?3)), 0) AS more
    FROM (SELECT DISTINCT user_no FROM (${events('user_no')})) f
    CROSS JOIN users u ON u.user_no = f.user_no AND u.site_no = ?1`
}

/** Those that begin in the pieces: an event of each lies there. */
function selectSessions(events: Events, within: (column: string) => string): string {
  return `SELECT count(*) AS sessions FROM (SELECT DISTINCT session_no FROM (${events('session_no')})) f
    CROSS JOIN sessions s ON s.session_no = f.session_no AND ${within('s.start_at')}
    CROSS JOIN users u ON u.user_no = s.user_no AND u.site_no = ?1`
}

function selectPurchases(events: Events): string {
  const isPurchase = "type_no = (SELECT type_no FROM event_types WHERE name = 'purchase')"
  return `SELECT f.* FROM (${events('user_no, session_no, seq, event_id, claimed, payload', isPurchase)}) f
    CROSS JOIN users u ON u.user_no = f.user_no AND u.site_no = ?1`
}

const SELECT_MONTHS = 'SELECT month FROM months WHERE month >= ? AND month <= ? ORDER BY month'
const SELECT_EVENTS = `SELECT coalesce(sum(events), 0) AS events FROM hours
  WHERE site_no = ? AND start_at >= ? AND start_at < ?`
const SELECT_START = 'SELECT start_at FROM sessions WHERE session_no = ?'
const SELECT_ORDER = 'SELECT seq, event_id, claimed, currency, gross FROM orders WHERE site_no = ? AND order_id = ?'
