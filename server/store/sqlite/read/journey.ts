import { eventBytes } from '../../../analysis/event-bytes.ts'
import { monthOf } from '../../../analysis/months.ts'
import { compareEvents, compareText } from '../../event-order.ts'
import type { JourneyQuery, StoredEvent } from '../../store.ts'
import type { Database, SqlValue } from '../database.ts'
import { type EventRow, toStoredEvent } from './event-row.ts'
import { siteNumber } from './site.ts'

interface Bounds {
  userNo: number
  from: number
  /** Inclusive. */
  to: number
  typeNo: number | null
  sessionNo: number | null
}

/**
 * Month by month along the index (user_no, occurred_at, seq). Events of one (occurredAt, seq) are put in order of
 * their ids here, since SQLite sorts 16-byte ids apart from texts.
 */
export function journey(db: Database, query: JourneyQuery): StoredEvent[] {
  const bounds = boundsOf(db, query)
  if (!bounds || query.limit <= 0) return []
  const sign = query.order === 'desc' ? -1 : 1
  const { maxBytes = Number.POSITIVE_INFINITY } = query
  const events: StoredEvent[] = []
  let ties: StoredEvent[] = []
  let bytes = 0
  const isFull = () => events.length >= query.limit || (events.length > 1 && bytes > maxBytes)
  const flush = () => {
    ties.sort((a, b) => sign * compareText(a.eventId, b.eventId))
    events.push(...ties)
    if (maxBytes < Number.POSITIVE_INFINITY) for (const event of ties) bytes += eventBytes(event)
    ties = []
  }
  for (const month of monthsOf(db, bounds, query.order))
    for (const row of db.each<EventRow>(...select(month, bounds, query))) {
      const event = toStoredEvent(row)
      const tied = ties[0]
      if (tied && (tied.occurredAt !== event.occurredAt || tied.seq !== event.seq)) {
        flush()
        if (isFull()) return events.slice(0, query.limit)
      }
      if (!query.after || sign * compareEvents(event, query.after) > 0) ties.push(event)
    }
  flush()
  return events.slice(0, query.limit)
}

/** null when nothing can match. */
function boundsOf(db: Database, query: JourneyQuery): Bounds | null {
  const user = db.get<{ user_no: number; first_at: number; last_at: number }>(
    'SELECT user_no, first_at, last_at FROM users WHERE site_no = ? AND user_id = ?',
    siteNumber(db, query.siteId),
    query.userId,
  )
  if (!user) return null
  const bounds: Bounds = {
    userNo: user.user_no,
    from: Math.max(user.first_at, query.from ?? user.first_at),
    to: Math.min(user.last_at, (query.to ?? user.last_at + 1) - 1),
    typeNo: null,
    sessionNo: null,
  }
  if (query.after) {
    if (query.order === 'desc') bounds.to = Math.min(bounds.to, query.after.occurredAt)
    else bounds.from = Math.max(bounds.from, query.after.occurredAt)
  }
  if (query.type !== undefined) {
    const type = db.get<{ type_no: number }>('SELECT type_no FROM event_types WHERE name = ?', query.type)
    if (!type) return null
    bounds.typeNo = type.type_no
  }
  if (query.sessionId !== undefined) {
    const session = db.get<{ session_no: number; start_at: number; end_at: number }>(
      'SELECT session_no, start_at, end_at FROM sessions WHERE user_no = ? AND session_id = ?',
      user.user_no,
      query.sessionId,
    )
    if (!session) return null
    bounds.sessionNo = session.session_no
    bounds.from = Math.max(bounds.from, session.start_at)
    bounds.to = Math.min(bounds.to, session.end_at)
  }
  return bounds.from <= bounds.to ? bounds : null
}

function monthsOf(db: Database, { from, to }: Bounds, order: JourneyQuery['order']): number[] {
  return db
    .all<{ month: number }>(
      `SELECT month FROM months WHERE month BETWEEN ? AND ? ORDER BY month ${order === 'desc' ? 'DESC' : 'ASC'}`,
      monthOf(from),
      monthOf(to),
    )
    .map((row) => row.month)
}

function select(month: number, bounds: Bounds, { order, after }: JourneyQuery): [string, ...SqlValue[]] {
  const direction = order === 'desc' ? 'DESC' : 'ASC'
  const values: SqlValue[] = [bounds.userNo, bounds.from, bounds.to]
  let where = 'e.user_no = ? AND e.occurred_at >= ? AND e.occurred_at <= ?'
  const filter = (sql: string, ...filterValues: SqlValue[]) => {
    where += ` AND ${sql}`
    values.push(...filterValues)
  }
  if (after) filter(`(e.occurred_at, e.seq) ${order === 'desc' ? '<=' : '>='} (?, ?)`, after.occurredAt, after.seq)
  if (bounds.typeNo !== null) filter('e.type_no = ?', bounds.typeNo)
  if (bounds.sessionNo !== null) filter('e.session_no = ?', bounds.sessionNo)
  return [
    `SELECT e.*, site.id AS site_id, u.user_id, s.session_id, t.name AS type
     FROM events_${month} e INDEXED BY events_${month}_by_user
     CROSS JOIN users u ON u.user_no = e.user_no CROSS JOIN sites site ON site.site_no = u.site_no
     CROSS JOIN sessions s ON s.session_no = e.session_no CROSS JOIN event_types t ON t.type_no = e.type_no
     WHERE ${where} ORDER BY e.occurred_at ${direction}, e.seq ${direction}`,
    ...values,
  ]
}
