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

/** Longest work on one count: less than a reader thread has for a question. */
const COUNT_MS = 4000
/** A day with more events up to the instant would not be counted in that time. */
const MOST_EVENTS = 4_000_000

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

interface GroupRow {
  user_no: number
  session_no: number
  type: string
  events: number
  last_hour: number
}

function countPart(
  db: Database,
  { site_no, time_zone }: SiteRow,
  { first, last, stretches, until }: Part,
): PartFigures {
  const users = new Set<number>()
  const sessions = new Set<number>()
  const types = new Map<string, number>()
  const orders = new PartOrders<number>()
  const lastHourStart = hourStart(time_zone, until - 1)
  let lastHour = 0
  for (const { month, range } of monthsOf(db, stretches)) {
    const index = indexOf(db, month)
    for (const group of db.each<GroupRow>(selectGroups(month, index), ...range, site_no, lastHourStart)) {
      users.add(group.user_no)
      sessions.add(group.session_no)
      types.set(group.type, (types.get(group.type) ?? 0) + group.events)
      lastHour += group.last_hour
    }
    for (const row of db.each<PurchaseRow>(selectPurchases(month, index), ...range, site_no)) {
      const payload = row.payload === null ? null : (JSON.parse(row.payload) as Record<string, unknown>)
      orders.addPurchase(rankOf(row), row.session_no, readPurchase(payload))
    }
  }
  for (const orderId of orders.orderIds) {
    const row = db.get<OrderRow>(SELECT_ORDER, site_no, orderId)
    orders.addOrder(orderId, row && { ...rankOf(row), currency: row.currency, gross: row.gross })
  }
  let moreUsers = first === last ? users.size : 0
  if (first < last) for (const user of users) if (!db.get(SELECT_ACTIVE, user, first, last - 1)) moreUsers += 1
  const started = [...sessions].filter((session) => {
    const { start_at } = db.get<{ start_at: number }>(SELECT_START, session)!
    return stretches.some((stretch) => stretch.from <= start_at && start_at < stretch.until)
  })
  return {
    events: [...types.values()].reduce((sum, events) => sum + events, 0),
    users: users.size,
    moreUsers,
    sessions: started.length,
    orderingSessions: started.filter((session) => orders.sessions.has(session)).length,
    orders: orders.orders,
    money: orders.money,
    aside: orders.aside,
    types: [...types],
    lastHour,
  }
}

function monthsOf(db: Database, stretches: Stretch[]): { month: number; range: [number, number] }[] {
  return stretches.flatMap(({ from, until }) =>
    db
      .all<{ month: number }>(SELECT_MONTHS, monthOf(from), monthOf(until - 1))
      .map(({ month }) => ({ month, range: [from, until] as [number, number] })),
  )
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

/** Months of older programs have no index by time: the one by users has the time as well, and is read as a whole. */
function indexOf(db: Database, month: number): string {
  const byTime = `events_${month}_by_time`
  return db.get("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", byTime)
    ? byTime
    : `events_${month}_by_user`
}

function selectGroups(month: number, index: string): string {
  return `WITH found AS MATERIALIZED (
      SELECT user_no, session_no, type_no, count(*) AS events, sum(occurred_at >= ?4) AS last_hour
      FROM events_${month} INDEXED BY ${index}
      WHERE occurred_at >= ?1 AND occurred_at < ?2 AND ${inTime('event_no')}
      GROUP BY user_no, session_no, type_no)
    SELECT f.user_no, f.session_no, t.name AS type, f.events, f.last_hour
    FROM found f CROSS JOIN users u ON u.user_no = f.user_no CROSS JOIN event_types t ON t.type_no = f.type_no
    WHERE u.site_no = ?3`
}

function selectPurchases(month: number, index: string): string {
  return `WITH found AS MATERIALIZED (SELECT event_no FROM events_${month} INDEXED BY ${index}
      WHERE occurred_at >= ?1 AND occurred_at < ?2 AND ${inTime('event_no')}
        AND type_no = (SELECT type_no FROM event_types WHERE name = 'purchase'))
    SELECT e.session_no, e.seq, e.event_id, e.claimed, e.payload
    FROM found CROSS JOIN events_${month} e ON e.event_no = found.event_no
    CROSS JOIN users u ON u.user_no = e.user_no WHERE u.site_no = ?3`
}

const SELECT_MONTHS = 'SELECT month FROM months WHERE month >= ? AND month <= ? ORDER BY month'
const SELECT_EVENTS = `SELECT coalesce(sum(events), 0) AS events FROM hours
  WHERE site_no = ? AND start_at >= ? AND start_at < ?`
const SELECT_ACTIVE = 'SELECT 1 FROM user_days WHERE user_no = ? AND day_no BETWEEN ? AND ? LIMIT 1'
const SELECT_START = 'SELECT start_at FROM sessions WHERE session_no = ?'
const SELECT_ORDER = `SELECT seq, event_id, claimed, currency, gross FROM orders WHERE site_no = ? AND order_id = ?`
