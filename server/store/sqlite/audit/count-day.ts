import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf, monthStart } from '../../../analysis/months.ts'
import { DayCount } from '../../day-figures.ts'
import { DayVisitor, dayWindow } from '../../day-window.ts'
import type { DayFigures } from '../../figures.ts'
import type { Database } from '../database.ts'
import type { SiteRow } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { keptFrom } from '../retention.ts'
import { trustOf } from '../write/money.ts'
import { NO_DAY } from '../write/rollups.ts'

interface EventRow {
  user_no: number
  session_no: number
  type: string
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  payload: string | null
  claimed: number
}

/** Events looked at in one step, in the index alone: how long one state of the store is held, and what is in memory. */
const STEP_EVENTS = 20_000

/**
 * Counts a day from its events, some users in a step, each step in a state of its own: whoever asks looks whether the
 * day's figures are the same before and after. What users did before is told by their rows and those of their sessions,
 * which are counted from events by the audit of users.
 */
export function countDay(db: Database, site: SiteRow, dayNo: number, stepEvents = STEP_EVENTS): DayFigures {
  const count = new DayCount(site.time_zone, dayNo)
  const window = dayWindow(site.time_zone, dayNo)
  for (let after: number | null = 0; after !== null; ) {
    const from: number = after
    after = db.read(() => {
      const months = db
        .all<{ month: number }>(SELECT_MONTHS, monthOf(window.from), monthOf(window.to - 1))
        .map(({ month }) => month)
      const to = lastOfStep(db, months, from, stepEvents)
      countUsers(db, site, count, { dayNo, window, months, from, to: to ?? Number.MAX_SAFE_INTEGER })
      return to
    })
  }
  db.read(() => countOrders(db, site, count))
  return count.figures()
}

/** The user up to whom a step goes, so that it is of about so many events in each month; null for the rest. */
function lastOfStep(db: Database, months: number[], after: number, stepEvents: number): number | null {
  const ends = months.flatMap((month) => {
    const row = db.get<{ user_no: number }>(selectEnd(month), after, stepEvents)
    return row ? [row.user_no] : []
  })
  return ends.length === 0 ? null : Math.min(...ends)
}

interface Step {
  dayNo: number
  window: { from: number; to: number }
  months: number[]
  /** Users after this one, up to that one. */
  from: number
  to: number
}

function countUsers(db: Database, site: SiteRow, count: DayCount, { dayNo, window, months, from, to }: Step): void {
  const zone = site.time_zone
  const visitors = new Map<number, DayVisitor<number>>()
  for (const month of months) {
    for (const row of db.each<EventRow>(selectWindow(month), from, to, window.from, window.to, site.site_no)) {
      let visitor = visitors.get(row.user_no)
      if (!visitor) {
        visitor = new DayVisitor(zone, dayNo, NO_DAY)
        visitors.set(row.user_no, visitor)
      }
      if (!visitor.add(row.session_no, row.occurred_at)) continue
      count.addEvent(row.type, row.occurred_at)
      if (row.type !== 'purchase') continue
      const payload = row.payload === null ? null : (JSON.parse(row.payload) as Record<string, unknown>)
      const rank = { trust: trustOf(row.claimed), seq: row.seq, eventId: decodeEventId(row.event_id) }
      count.addPurchase(rank, readPurchase(payload))
    }
  }
  for (const [userNo, visitor] of visitors) {
    if (!visitor.isActive) continue
    const { day } = db.get<{ day: number | null }>(SELECT_DAY_BEFORE, userNo, dayNo)!
    if (day !== null) visitor.addDay(day)
    const ordering = new Set<number>()
    for (const sessionNo of visitor.sessions) {
      const row = db.get<{ start_at: number; orders: number }>(SELECT_SESSION, sessionNo)
      if (row && row.start_at < window.from) visitor.addEarlier(sessionNo, row.start_at)
      if (row && row.orders > 0) ordering.add(sessionNo)
    }
    count.addUser(visitor.previousDay)
    for (const sessionNo of visitor.sessions) count.addSession(ordering.has(sessionNo))
  }
}

function countOrders(db: Database, site: SiteRow, count: DayCount): void {
  for (const orderId of count.orderIds) {
    const row = db.get<OrderRow>(SELECT_ORDER, site.site_no, orderId)
    count.addOrder(
      orderId,
      row && {
        ...{ trust: trustOf(row.claimed), seq: row.seq, eventId: decodeEventId(row.event_id) },
        ...{ occurredAt: row.occurred_at, currency: row.currency, gross: row.gross, repetitions: row.repetitions },
      },
    )
  }
}

interface OrderRow {
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  claimed: number
  currency: string
  gross: number
  repetitions: number
}

/** The instant from which on events are kept; 0 when none was dropped. */
export function keptFromInstant(db: Database): number {
  const month = keptFrom(db)
  return month === 0 ? 0 : monthStart(month)
}

/** Whether every event of the window is kept. */
export function isKept(db: Database, { time_zone }: SiteRow, dayNo: number): boolean {
  const month = keptFrom(db)
  return month === 0 || dayWindow(time_zone, dayNo).from >= monthStart(month)
}

/** The index holds the time, so the events of other days are not read. */
function selectWindow(month: number): string {
  return `WITH found AS MATERIALIZED (SELECT event_no FROM events_${month} INDEXED BY events_${month}_by_user
      WHERE user_no > ? AND user_no <= ? AND occurred_at >= ? AND occurred_at < ?)
    SELECT e.user_no, e.session_no, t.name AS type, e.occurred_at, e.seq, e.event_id, e.claimed,
      CASE WHEN t.name = 'purchase' THEN e.payload END AS payload
    FROM found CROSS JOIN events_${month} e ON e.event_no = found.event_no
    CROSS JOIN users u ON u.user_no = e.user_no CROSS JOIN event_types t ON t.type_no = e.type_no
    WHERE u.site_no = ?`
}

function selectEnd(month: number): string {
  return `SELECT user_no FROM events_${month} INDEXED BY events_${month}_by_user
    WHERE user_no > ? ORDER BY user_no LIMIT 1 OFFSET ?`
}

const SELECT_MONTHS = 'SELECT month FROM months WHERE month >= ? AND month <= ? ORDER BY month'
const SELECT_DAY_BEFORE = 'SELECT max(day_no) AS day FROM user_days WHERE user_no = ? AND day_no < ?'
const SELECT_SESSION = 'SELECT start_at, orders FROM sessions WHERE session_no = ?'
const SELECT_ORDER = `SELECT occurred_at, seq, event_id, claimed, currency, gross,
    coalesce(json_array_length(others), 0) AS repetitions FROM orders WHERE site_no = ? AND order_id = ?`
