import type { StoredEvent } from '../../store.ts'
import type { Database } from '../database.ts'
import { type EventRow, toStoredEvent } from './event-row.ts'
import { siteNumber } from './site.ts'

/** Where a scan goes on: past this event of this month. */
export interface ScanPlace {
  month: number
  eventNo: number
}

/** Rows looked at in one step, whoever's they are, so that a step is short on a server of many sites too. */
const STEP_EVENTS = 2000

/** One step of a scan over every event of a site; next is null at the end. */
export function scan(
  db: Database,
  { siteId, place }: { siteId: string; place: ScanPlace | null },
): { events: StoredEvent[]; next: ScanPlace | null } {
  const from = place ?? { month: 0, eventNo: 0 }
  const month = db.get<{ month: number }>('SELECT month FROM months WHERE month >= ? ORDER BY month', from.month)?.month
  if (month === undefined) return { events: [], next: null }
  const after = month === from.month ? from.eventNo : 0
  const last = db.get<{ last: number | null }>(`SELECT max(event_no) AS last FROM events_${month}`)?.last ?? 0
  const rows = db.all<EventRow>(
    `SELECT e.*, site.id AS site_id, u.user_id, s.session_id, t.name AS type
     FROM events_${month} e CROSS JOIN users u ON u.user_no = e.user_no CROSS JOIN sites site ON site.site_no = u.site_no
     CROSS JOIN sessions s ON s.session_no = e.session_no CROSS JOIN event_types t ON t.type_no = e.type_no
     WHERE e.event_no > ? AND e.event_no <= ? AND u.site_no = ? ORDER BY e.event_no`,
    after,
    after + STEP_EVENTS,
    siteNumber(db, siteId),
  )
  const next = after + STEP_EVENTS < last ? { month, eventNo: after + STEP_EVENTS } : { month: month + 1, eventNo: 0 }
  return { events: rows.map(toStoredEvent), next }
}
