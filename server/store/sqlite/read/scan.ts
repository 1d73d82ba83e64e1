import { monthOf } from '../../../analysis/months.ts'
import { StepRoom } from '../../step-room.ts'
import type { StoredEvent, TimeRange } from '../../store.ts'
import type { Database } from '../database.ts'
import { type EventRow, toStoredEvent } from './event-row.ts'
import { siteNumber } from './site.ts'

/** Where a scan goes on: past this event of this month; in a scan of a range, past this place in the month's index. */
export interface ScanPlace {
  month: number
  eventNo: number
  user?: { userNo: number; occurredAt: number; seq: number }
}

/** Rows looked at in one step, whoever's they are and whenever they occurred, so that a step is short. */
const STEP_ROWS = 5000
/** Entries of the index looked at in one step of a range. */
const STEP_ENTRIES = 20_000

/** One step of a scan over the events of a site; next is null at the end. */
export function scan(
  db: Database,
  { siteId, range, place }: { siteId: string; range?: TimeRange; place: ScanPlace | null },
): { events: StoredEvent[]; next: ScanPlace | null } {
  const from = place ?? { month: range ? monthOf(range.from) : 0, eventNo: 0 }
  const month = db.get<{ month: number }>(
    'SELECT month FROM months WHERE month >= ? AND month <= ? ORDER BY month',
    from.month,
    range ? monthOf(range.to - 1) : Number.MAX_SAFE_INTEGER,
  )?.month
  if (month === undefined) return { events: [], next: null }
  const here = month === from.month ? from : { month, eventNo: 0 }
  const siteNo = siteNumber(db, siteId)
  return range ? rangeStep(db, siteNo, range, here) : wholeStep(db, siteNo, here)
}

/** Along the numbers of the events: pages of a month that stands still are always the same. */
function wholeStep(db: Database, siteNo: number, { month, eventNo }: ScanPlace): ReturnType<typeof scan> {
  const last = db.get<{ last: number | null }>(`SELECT max(event_no) AS last FROM events_${month}`)?.last ?? 0
  const sql = `${selectEvents(month, 'NOT INDEXED')} WHERE e.event_no > ? AND e.event_no <= ? AND u.site_no = ?
     ORDER BY e.event_no`
  const { rows, isFull } = withRoom(db.each<EventRow>(sql, eventNo, eventNo + STEP_ROWS, siteNo))
  // A full step may have stopped before its last row.
  const reached = isFull ? rows.at(-1)!.event_no : eventNo + STEP_ROWS
  const next = reached < last ? { month, eventNo: reached } : { month: month + 1, eventNo: 0 }
  return { events: rows.map(toStoredEvent), next }
}

/** Along the index by users, which has the times: of a month of events only those of the range are read themselves. */
function rangeStep(
  db: Database,
  siteNo: number,
  range: TimeRange,
  { month, eventNo, user = { userNo: 0, occurredAt: 0, seq: 0 } }: ScanPlace,
): ReturnType<typeof scan> {
  const index = `events_${month}_by_user`
  const end = db.get<{ user_no: number }>(
    `SELECT user_no FROM events_${month} INDEXED BY ${index} WHERE user_no > ? ORDER BY user_no LIMIT 1 OFFSET ?`,
    user.userNo,
    STEP_ENTRIES,
  )
  const found = db.each<EventRow & { user_no: number }>(
    `${selectEvents(month, `INDEXED BY ${index}`)}
     WHERE (e.user_no, e.occurred_at, e.seq) >= (?1, ?2, ?3) AND e.user_no <= ?4
       AND e.occurred_at >= ?5 AND e.occurred_at < ?6 AND u.site_no = ?7
       AND ((e.user_no, e.occurred_at, e.seq) > (?1, ?2, ?3) OR e.event_no > ?8)
     ORDER BY e.user_no, e.occurred_at, e.seq, e.event_no`,
    ...[user.userNo, user.occurredAt, user.seq, end?.user_no ?? Number.MAX_SAFE_INTEGER],
    ...[range.from, range.to, siteNo, eventNo],
  )
  const { rows, isFull } = withRoom(found)
  const events = rows.map(toStoredEvent)
  const last = rows.at(-1)
  if (last && isFull) {
    const { user_no: userNo, occurred_at: occurredAt, seq, event_no } = last
    return { events, next: { month, eventNo: event_no, user: { userNo, occurredAt, seq } } }
  }
  if (!end) return { events, next: { month: month + 1, eventNo: 0 } }
  return { events, next: { month, eventNo: 0, user: { userNo: end.user_no + 1, occurredAt: 0, seq: 0 } } }
}

/** Rows up to the one that fills the step. */
function withRoom<Row extends EventRow>(found: Iterable<Row>): { rows: Row[]; isFull: boolean } {
  const room = new StepRoom()
  const rows: Row[] = []
  for (const row of found) {
    rows.push(row)
    room.take(row)
    if (room.isFull) break
  }
  return { rows, isFull: room.isFull }
}

function selectEvents(month: number, index: string): string {
  return `SELECT e.*, site.id AS site_id, u.user_id, s.session_id, t.name AS type
    FROM events_${month} e ${index} CROSS JOIN users u ON u.user_no = e.user_no
    CROSS JOIN sites site ON site.site_no = u.site_no CROSS JOIN sessions s ON s.session_no = e.session_no
    CROSS JOIN event_types t ON t.type_no = e.type_no`
}
