import { compareText } from '../../event-order.ts'
import { toMoney } from '../../money.ts'
import type { SessionRow } from '../../store.ts'
import { type Database, inTime } from '../database.ts'
import { allMoney, MONEY_COLUMNS } from '../write/money.ts'
import { siteNumber } from './site.ts'

interface StoredSession {
  session_no: number
  session_id: string
  start_at: number
  end_at: number
  events: number
  orders: number
}

export interface SessionsQuery {
  siteId: string
  userId: string
  limit: number
  after?: { start: number; sessionId: string }
  ids?: string[]
}

export function sessions(db: Database, query: SessionsQuery): SessionRow[] {
  const user = db.get<{ user_no: number; sessions: number }>(
    'SELECT user_no, sessions FROM users WHERE site_no = ? AND user_id = ?',
    siteNumber(db, query.siteId),
    query.userId,
  )
  if (!user) return []
  const rows = query.ids ? byIds(db, user.user_no, query) : newest(db, user.user_no, query)
  // Ranks are counted from the newest on; each count begins where the one before ended.
  let rank = user.sessions
  let upper: StoredSession | null = null
  return rows.map((row) => {
    rank -= upper
      ? countBetween(db, user.user_no, row, upper)
      : db.get<{ sessions: number }>(COUNT_AFTER, user.user_no, row.start_at, row.session_id)!.sessions
    upper = row
    return {
      sessionId: row.session_id,
      number: rank,
      start: row.start_at,
      end: row.end_at,
      events: row.events,
      orders: row.orders,
      money: row.orders === 0 ? [] : toMoney(allMoney(db, SELECT_MONEY, row.session_no)),
    }
  })
}

function newest(db: Database, userNo: number, { after, limit }: SessionsQuery): StoredSession[] {
  return after
    ? db.all<StoredSession>(SELECT_AFTER, userNo, after.start, after.sessionId, limit)
    : db.all<StoredSession>(SELECT_NEWEST, userNo, limit)
}

function byIds(db: Database, userNo: number, { ids = [], after, limit }: SessionsQuery): StoredSession[] {
  const rows: StoredSession[] = []
  for (const id of new Set(ids)) {
    const row = db.get<StoredSession>('SELECT * FROM sessions WHERE user_no = ? AND session_id = ?', userNo, id)
    if (row && (!after || compare(row, { start_at: after.start, session_id: after.sessionId }) < 0)) rows.push(row)
  }
  return rows.sort((a, b) => compare(b, a)).slice(0, limit)
}

type Place = Pick<StoredSession, 'start_at' | 'session_id'>

function compare(a: Place, b: Place): number {
  return a.start_at - b.start_at || compareText(a.session_id, b.session_id)
}

/** From `lower` (included) to `upper` (excluded). */
function countBetween(db: Database, userNo: number, lower: Place, upper: Place): number {
  return db.get<{ sessions: number }>(
    COUNT_BETWEEN,
    userNo,
    lower.start_at,
    lower.session_id,
    upper.start_at,
    upper.session_id,
  )!.sessions
}

const SELECT_NEWEST = `SELECT * FROM sessions INDEXED BY sessions_by_start_at
  WHERE user_no = ? ORDER BY start_at DESC, session_id DESC LIMIT ?`
const SELECT_AFTER = `SELECT * FROM sessions INDEXED BY sessions_by_start_at
  WHERE user_no = ? AND (start_at, session_id) < (?, ?) ORDER BY start_at DESC, session_id DESC LIMIT ?`
const COUNT_AFTER = `SELECT count(*) AS sessions FROM sessions INDEXED BY sessions_by_start_at
  WHERE user_no = ? AND ${inTime('session_no')} AND (start_at, session_id) > (?, ?)`
const COUNT_BETWEEN = `SELECT count(*) AS sessions FROM sessions INDEXED BY sessions_by_start_at
  WHERE user_no = ? AND ${inTime('session_no')} AND (start_at, session_id) >= (?, ?) AND (start_at, session_id) < (?, ?)`
const SELECT_MONEY = `SELECT ${MONEY_COLUMNS} FROM session_money WHERE session_no = ?`
