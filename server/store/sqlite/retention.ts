import type { Database } from './database.ts'
import { mark, setMark } from './marks.ts'

const KEPT_FROM = 'events kept from'
/** The month up to which the ids of dropped events are gone. */
const IDS_FROM = 'event ids kept from'
/** Ids looked at in one step, so that batches get their turns in between. */
const STEP_IDS = 20_000
/** Events deleted in one step, each with an entry somewhere in the index. */
const STEP_EVENTS = 2000

/** The first month (YYYYMM) whose events are kept; 0 when none was ever dropped. */
export function keptFrom(db: Database): number {
  return Number(mark(db, KEPT_FROM) ?? 0)
}

export function eventMonths(db: Database): { month: number; events: number }[] {
  return db.all<{ month: number }>('SELECT month FROM months ORDER BY month').map(({ month }) => ({
    month,
    // Rows are only ever added.
    events: db.get<{ events: number | null }>(`SELECT max(event_no) AS events FROM events_${month}`)?.events ?? 0,
  }))
}

/** From now on events of months before it are refused. It never goes back. */
export function keepFrom(db: Database, month: number): void {
  db.write(() => {
    if (month > keptFrom(db)) setMark(db, { name: KEPT_FROM, value: String(month) })
  })
}

/** One step of dropping the oldest month that is not kept: which it is and whether nothing is left of it. */
export interface DropStep {
  month: number
  isGone: boolean
}

/**
 * First nobody looks for the month's events any more, then they are deleted some at a time, and at last their empty
 * table: to drop a full one takes minutes, in which no batch could be stored. Null when there is none.
 */
export function dropMonth(db: Database): DropStep | null {
  return db.write(() => {
    const row = db.get<{ month: number }>('SELECT month FROM months WHERE month < ? ORDER BY month', keptFrom(db))
    if (row) {
      db.run('DELETE FROM months WHERE month = ?', row.month)
      return { month: row.month, isGone: false }
    }
    const left = db.get<{ name: string; month: number }>(SELECT_LEFT, keptFrom(db))
    if (!left) return null
    const { name, month } = left
    const deleted = db.run(`DELETE FROM ${name} WHERE event_no < (SELECT min(event_no) + ${STEP_EVENTS} FROM ${name})`)
    if (deleted === 0) db.exec(`DROP TABLE ${name}`)
    return { month, isGone: deleted === 0 }
  })
}

/** A place among the event ids, in the order of their key. */
export interface IdPlace {
  siteNo: number
  eventId: string | Uint8Array
}

/** One step of forgetting the ids of months that are not kept; null at the end, and when it was done before. */
export function forgetIds(db: Database, place: IdPlace | null): IdPlace | null {
  return db.write(() => {
    if (place === null && Number(mark(db, IDS_FROM) ?? 0) === keptFrom(db)) return null
    const after = place ?? { siteNo: -1, eventId: '' }
    const end = db.get<{ site_no: number; event_id: string | Uint8Array }>(
      `SELECT site_no, event_id FROM event_ids WHERE (site_no, event_id) > (?, ?)
       ORDER BY site_no, event_id LIMIT 1 OFFSET ${STEP_IDS - 1}`,
      after.siteNo,
      after.eventId,
    )
    const values = [after.siteNo, after.eventId, keptFrom(db)]
    if (end) db.run(`${DELETE_IDS} AND (site_no, event_id) <= (?, ?)`, ...values, end.site_no, end.event_id)
    else {
      db.run(DELETE_IDS, ...values)
      setMark(db, { name: IDS_FROM, value: String(keptFrom(db)) })
    }
    return end ? { siteNo: end.site_no, eventId: end.event_id } : null
  })
}

const DELETE_IDS = 'DELETE FROM event_ids WHERE (site_no, event_id) > (?, ?) AND month < ?'
/** Tables of months that nobody looks for any more. */
const SELECT_LEFT = `SELECT name, CAST(substr(name, 8) AS INTEGER) AS month FROM sqlite_master
  WHERE type = 'table' AND name GLOB 'events_[0-9][0-9][0-9][0-9][0-9][0-9]' AND month < ? ORDER BY month LIMIT 1`
