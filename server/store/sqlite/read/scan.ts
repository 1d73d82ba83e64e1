import type { StoredEvent, TimeRange } from '../../store.ts'
import type { Database } from '../database.ts'
import { type EventRow, toStoredEvent } from './event-row.ts'
import { monthOf } from './journey.ts'
import { siteNumber } from './site.ts'

/** Where a scan goes on: past this event of this month. */
export interface ScanPlace {
  month: number
  eventNo: number
}

/** Rows looked at in one step, whoever's they are and whenever they occurred, so that a step is short. */
const STEP_ROWS = 5000
/** Rows given back in one step. */
const STEP_EVENTS = 2000
const ALWAYS: TimeRange = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }

/** One step of a scan over the events of a site; next is null at the end. */
export function scan(
  db: Database,
  { siteId, range = ALWAYS, place }: { siteId: string; range?: TimeRange; place: ScanPlace | null },
): { events: StoredEvent[]; next: ScanPlace | null } {
  const from = place ?? { month: range === ALWAYS ? 0 : monthOf(range.from), eventNo: 0 }
  const month = db.get<{ month: number }>(
    'SELECT month FROM months WHERE month >= ? AND month <= ? ORDER BY month',
    from.month,
    range === ALWAYS ? Number.MAX_SAFE_INTEGER : monthOf(range.to - 1),
  )?.month
  if (month === undefined) return { events: [], next: null }
  const after = month === from.month ? from.eventNo : 0
  const last = db.get<{ last: number | null }>(`SELECT max(event_no) AS last FROM events_${month}`)?.last ?? 0
  const rows = db.all<EventRow>(
    `SELECT e.*, site.id AS site_id, u.user_id, s.session_id, t.name AS type
     FROM events_${month} e CROSS JOIN users u ON u.user_no = e.user_no CROSS JOIN sites site ON site.site_no = u.site_no
     CROSS JOIN sessions s ON s.session_no = e.session_no CROSS JOIN event_types t ON t.type_no = e.type_no
     WHERE e.event_no > ? AND e.event_no <= ? AND e.occurred_at >= ? AND e.occurred_at < ? AND u.site_no = ?
     ORDER BY e.event_no LIMIT ${STEP_EVENTS}`,
    after,
    after + STEP_ROWS,
    range.from,
    range.to,
    siteNumber(db, siteId),
  )
  // A full step may have stopped before its last row.
  const reached = rows.length < STEP_EVENTS ? after + STEP_ROWS : rows.at(-1)!.event_no
  const next = reached < last ? { month, eventNo: reached } : { month: month + 1, eventNo: 0 }
  return { events: rows.map(toStoredEvent), next }
}
