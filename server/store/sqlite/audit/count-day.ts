import { monthOf, monthStart } from '../../../analysis/months.ts'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { DayCount } from '../../day-figures.ts'
import { DayVisitor, dayWindow } from '../../day-window.ts'
import type { DayFigures } from '../../figures.ts'
import { purchaseOf } from '../../purchase.ts'
import type { Database } from '../database.ts'
import type { SiteRow } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { keptFrom } from '../retention.ts'
import { NO_DAY } from '../write/rollups.ts'

interface EventRow {
  user_no: number
  session_no: number
  type: string
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  payload: string | null
  issues: string | null
}

/** Counts a day from its events; of what is older than the kept months, from the rows of users and sessions. */
export function countDay(db: Database, site: SiteRow, dayNo: number): DayFigures {
  const zone = site.time_zone
  const count = new DayCount(zone, dayNo)
  const visitors = new Map<number, DayVisitor<number>>()
  const window = dayWindow(zone, dayNo)
  const months = db.all<{ month: number }>('SELECT month FROM months ORDER BY month').map((row) => row.month)
  for (const month of months) {
    if (month < monthOf(window.from) || month > monthOf(window.to - 1)) continue
    for (const row of db.each<EventRow>(selectWindow(month), window.from, window.to, site.site_no)) {
      let visitor = visitors.get(row.user_no)
      if (!visitor) {
        visitor = new DayVisitor(zone, dayNo, NO_DAY)
        visitors.set(row.user_no, visitor)
      }
      if (!visitor.add(row.session_no, row.occurred_at)) continue
      count.addEvent(row.type, row.occurred_at)
      const purchase = purchaseIn(row)
      const place = { occurredAt: row.occurred_at, seq: row.seq, eventId: '' }
      if (purchase) count.addPurchase({ ...place, eventId: decodeEventId(row.event_id), purchase })
    }
  }
  const earlier = months.filter((month) => month <= monthOf(window.from))
  for (const [userNo, visitor] of visitors) {
    if (!visitor.isActive) continue
    addEarlier(db, earlier, userNo, visitor, window.from)
    addDropped(db, site, userNo, visitor)
    count.addUser(visitor.previousDay)
    for (const sessionNo of visitor.sessions)
      count.addSession((db.get<{ orders: number }>(SELECT_SESSION, sessionNo)?.orders ?? 0) > 0)
  }
  for (const orderId of count.orderIds) {
    const row = db.get<OrderRow>(SELECT_ORDER, site.site_no, orderId)
    count.addOrder(orderId, row && { occurredAt: row.occurred_at, seq: row.seq, eventId: decodeEventId(row.event_id) })
  }
  return count.figures()
}

interface OrderRow {
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
}

function purchaseIn({ type, payload, issues }: EventRow) {
  if (type !== 'purchase' || payload === null || issues !== null) return null
  return purchaseOf({ type, payload: JSON.parse(payload) as Record<string, unknown>, issues: null })
}

function addEarlier(db: Database, months: number[], userNo: number, visitor: DayVisitor<number>, before: number): void {
  for (const month of months) {
    const sql = `SELECT session_no, max(occurred_at) AS last FROM events_${month}
      WHERE user_no = ? AND occurred_at < ? GROUP BY session_no`
    for (const row of db.all<{ session_no: number; last: number }>(sql, userNo, before))
      visitor.addEarlier(row.session_no, row.last)
  }
}

/** Of months that are dropped only the roll-ups know. */
function addDropped(db: Database, site: SiteRow, userNo: number, visitor: DayVisitor<number>): void {
  const month = keptFrom(db)
  if (month === 0) return
  const start = monthStart(month)
  const rows = 'SELECT session_no, start_at FROM sessions WHERE user_no = ? AND start_at < ?'
  for (const row of db.all<{ session_no: number; start_at: number }>(rows, userNo, start))
    visitor.addEarlier(row.session_no, row.start_at)
  const days = 'SELECT max(day_no) AS day FROM user_days WHERE user_no = ? AND day_no <= ?'
  const { day } = db.get<{ day: number | null }>(days, userNo, dayNumberOf(site.time_zone, start - 1))!
  if (day !== null) visitor.addDay(day)
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
  return `WITH found AS MATERIALIZED (SELECT event_no FROM events_${month} WHERE occurred_at >= ? AND occurred_at < ?)
    SELECT e.user_no, e.session_no, t.name AS type, e.occurred_at, e.seq, e.event_id, e.issues,
      CASE WHEN t.name = 'purchase' THEN e.payload END AS payload
    FROM found CROSS JOIN events_${month} e ON e.event_no = found.event_no
    CROSS JOIN users u ON u.user_no = e.user_no CROSS JOIN event_types t ON t.type_no = e.type_no
    WHERE u.site_no = ?`
}

const SELECT_SESSION = 'SELECT orders FROM sessions WHERE session_no = ?'
const SELECT_ORDER = 'SELECT occurred_at, seq, event_id FROM orders WHERE site_no = ? AND order_id = ?'
