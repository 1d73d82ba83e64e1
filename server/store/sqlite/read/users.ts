import type { UserSort } from '../../../../trpc/schema/users.ts'
import { toMoney } from '../../money.ts'
import type { UserListQuery, UserRow } from '../../store.ts'
import { type Database, inTime, type SqlValue } from '../database.ts'
import { allMoney, MONEY_COLUMNS } from '../write/money.ts'
import { textAfter } from './prefix.ts'
import { siteNumber } from './site.ts'

interface StoredUser {
  user_no: number
  user_id: string
  first_at: number
  last_at: number
  events: number
  sessions: number
  orders: number
}

const columns: Record<UserSort, string> = {
  userId: 'user_id',
  totalSessions: 'sessions',
  totalEvents: 'events',
  orders: 'orders',
  firstActive: 'first_at',
  lastActive: 'last_at',
}

/** Up to here the matches of a prefix are gathered and sorted; above, the sort index is walked past the others. */
const MAX_GATHERED = 5000

/**
 * Every sort is an index (site_no, column, user_id), read in the one or the other direction; it also holds the user id,
 * so that skipping and filtering never touch the users themselves.
 */
export function listUsers(db: Database, query: UserListQuery): { users: UserRow[]; total: number } {
  const siteNo = siteNumber(db, query.siteId)
  const total = countUsers(db, siteNo, query.prefix)
  const numbers = pageNumbers(db, siteNo, query, total)
  return { users: numbers.map((userNo) => userByNo(db, userNo)), total }
}

/** Some users after the key, for a list of which `total` are known to match. */
export function usersAfter(db: Database, query: UserListQuery & { total: number }): UserRow[] {
  return pageNumbers(db, siteNumber(db, query.siteId), query, query.total).map((userNo) => userByNo(db, userNo))
}

export function user(db: Database, query: { siteId: string; userId: string }): UserRow | null {
  const row = db.get<StoredUser>(
    'SELECT * FROM users WHERE site_no = ? AND user_id = ?',
    siteNumber(db, query.siteId),
    query.userId,
  )
  return row ? toUserRow(db, row) : null
}

function countUsers(db: Database, siteNo: number, prefix: string | undefined): number {
  if (!prefix) return db.get<{ users: number }>('SELECT users FROM sites WHERE site_no = ?', siteNo)?.users ?? 0
  const { sql, values } = prefixFilter(prefix)
  return db.get<{ users: number }>(
    `SELECT count(*) AS users FROM users WHERE site_no = ? AND ${inTime('user_no')}${sql}`,
    siteNo,
    ...values,
  )!.users
}

function prefixFilter(prefix: string | undefined): { sql: string; values: SqlValue[] } {
  if (!prefix) return { sql: '', values: [] }
  const end = textAfter(prefix)
  return end === null
    ? { sql: ' AND user_id >= ?', values: [prefix] }
    : { sql: ' AND user_id >= ? AND user_id < ?', values: [prefix, end] }
}

function pageNumbers(db: Database, siteNo: number, query: UserListQuery, total: number): number[] {
  const { limit, prefix, after, before } = query
  const key = before ?? after
  const offset = key ? 0 : (query.offset ?? 0)
  const wanted = key ? limit : Math.min(limit, total - offset)
  if (wanted <= 0) return []
  // A page in the second half is nearer to the end: it is read backwards from there.
  const fromEnd = !key && offset > total / 2
  const backwards = before !== undefined || fromEnd
  const descending = (query.order === 'desc') !== backwards
  const skip = fromEnd ? total - offset - wanted : offset
  const column = columns[query.sort]
  const filter = prefixFilter(prefix)
  const values: SqlValue[] = [siteNo, ...filter.values]
  let sql = `WHERE site_no = ? AND ${inTime('user_no')}${filter.sql}`
  if (key) {
    const byId = column === 'user_id'
    sql += byId
      ? ` AND user_id ${descending ? '<' : '>'} ?`
      : ` AND (${column}, user_id) ${descending ? '<' : '>'} (?, ?)`
    values.push(...(byId ? [key.userId] : [key.value, key.userId]))
  }
  // With few matches the planner must come from the user ids, with many from the sort index: it cannot know which.
  const index = prefix && total <= MAX_GATHERED ? 'user_id' : column
  const direction = descending ? 'DESC' : 'ASC'
  const rows = db.all<{ user_no: number }>(
    `SELECT user_no FROM users INDEXED BY users_by_${index} ${sql}
     ORDER BY ${column === 'user_id' ? '' : `${column} ${direction}, `}user_id ${direction} LIMIT ? OFFSET ?`,
    ...values,
    wanted,
    skip,
  )
  const numbers = rows.map((row) => row.user_no)
  return backwards ? numbers.reverse() : numbers
}

function userByNo(db: Database, userNo: number): UserRow {
  return toUserRow(db, db.get<StoredUser>('SELECT * FROM users WHERE user_no = ?', userNo)!)
}

function toUserRow(db: Database, row: StoredUser): UserRow {
  return {
    userId: row.user_id,
    events: row.events,
    sessions: row.sessions,
    orders: row.orders,
    money: row.orders === 0 ? [] : toMoney(allMoney(db, SELECT_MONEY, row.user_no)),
    firstActive: row.first_at,
    lastActive: row.last_at,
  }
}

const SELECT_MONEY = `SELECT ${MONEY_COLUMNS} FROM user_money WHERE user_no = ?`
