import type { Filter } from 'mongodb'
import type { UserSort } from '../../../../trpc/schema/users.ts'
import { toMoney } from '../../money.ts'
import type { UserRow as User, UserListQuery } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { toExact } from '../money.ts'
import { afterPrefix, orderKey } from '../order-key.ts'
import { siteBounds, userOfRowId, userRowId } from '../row-id.ts'
import type { UserRow } from '../rows.ts'

const columns = {
  userId: '_id',
  totalSessions: 'sessions',
  totalEvents: 'events',
  orders: 'orders',
  firstActive: 'firstAt',
  lastActive: 'lastAt',
} as const satisfies Record<UserSort, keyof UserRow>
type Column = (typeof columns)[UserSort]

/** Up to here the matches of a prefix are gathered and sorted; above, the sort index is walked past the others. */
const MAX_GATHERED = 5000
/** Read at once where all are. */
const BLOCK_USERS = 1000

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/** One document: it is of one state. */
export async function user(
  { users }: Collections,
  { siteId, userId }: { siteId: string; userId: string },
): Promise<User | null> {
  const row = await users.findOne({ _id: userRowId(siteId, userId) }, bounded)
  return row ? toUser(row) : null
}

/**
 * Every sort is an index (site, column, user), read in the one or the other direction. It holds what is needed to find
 * the page, so that skipping never touches the users themselves; then the users of the page are read.
 */
export async function listUsers(rows: Collections, query: UserListQuery): Promise<{ users: User[]; total: number }> {
  const total = await countUsers(rows, query)
  const ids = await pageIds(rows, query, total)
  const found = new Map<string, UserRow>()
  if (ids.length > 0)
    for (const row of await rows.users.find({ _id: { $in: ids } }, bounded).toArray()) found.set(row._id, row)
  return { users: ids.flatMap((id) => found.get(id) ?? []).map(toUser), total }
}

/** Some users after that id, in the order of their ids. */
export async function usersById(
  { users }: Collections,
  { siteId, prefix, after }: { siteId: string; prefix?: string; after: string | null },
): Promise<User[]> {
  const bounds = idBounds(siteId, prefix)
  const ids = after === null ? bounds : { $gt: userRowId(siteId, after), $lt: bounds.$lt }
  const rows = await users.find({ _id: ids }, bounded).sort({ _id: 1 }).limit(BLOCK_USERS).toArray()
  return rows.map(toUser)
}

async function countUsers(rows: Collections, { siteId, prefix }: UserListQuery): Promise<number> {
  if (prefix) return rows.users.countDocuments({ _id: idBounds(siteId, prefix) }, bounded)
  const row = await rows.totals.findOne({ _id: siteId }, { projection: { users: 1 }, ...bounded })
  return row?.users ?? 0
}

function idBounds(siteId: string, prefix: string | undefined): { $gte: string; $lt: string } {
  const [from, to] = siteBounds(siteId)
  if (!prefix) return { $gte: from, $lt: to }
  const first = userRowId(siteId, prefix)
  return { $gte: first, $lt: afterPrefix(first) }
}

async function pageIds(rows: Collections, query: UserListQuery, total: number): Promise<string[]> {
  const { limit, after, before } = query
  const key = before ?? after
  const offset = key ? 0 : (query.offset ?? 0)
  const wanted = key ? limit : Math.min(limit, total - offset)
  if (wanted <= 0 || total === 0) return []
  // A page in the second half is nearer to the end: it is read backwards from there.
  const fromEnd = !key && offset > total / 2
  const backwards = before !== undefined || fromEnd
  const walk: Walk = {
    rows,
    query,
    column: columns[query.sort],
    direction: (query.order === 'desc') === backwards ? 1 : -1,
    gather: query.prefix !== undefined && total <= MAX_GATHERED,
  }
  const skip = fromEnd ? total - offset - wanted : offset
  const ids = key ? await fromKey(walk, key, wanted) : await walkIndex(walk, {}, skip, wanted)
  return backwards ? ids.reverse() : ids
}

interface Walk {
  rows: Collections
  query: UserListQuery
  column: Column
  direction: 1 | -1
  /** Whether to come from the user ids and sort. */
  gather: boolean
}

/** First the rest of the key's ties, then what comes after them: each is one stretch of the index. */
async function fromKey(walk: Walk, key: NonNullable<UserListQuery['after']>, wanted: number): Promise<string[]> {
  const { column, direction, query } = walk
  const beyond = direction === 1 ? '$gt' : '$lt'
  if (column === '_id') return walkIndex(walk, { _id: { [beyond]: userRowId(query.siteId, key.userId) } }, 0, wanted)
  const ties = { [column]: key.value, user: { [beyond]: orderKey(key.userId) } }
  const ids = await walkIndex(walk, ties, 0, wanted)
  if (ids.length === wanted) return ids
  return [...ids, ...(await walkIndex(walk, { [column]: { [beyond]: key.value } }, 0, wanted - ids.length))]
}

async function walkIndex(walk: Walk, from: Filter<UserRow>, skip: number, wanted: number): Promise<string[]> {
  const { column, direction, query, gather, rows } = walk
  const { siteId, prefix } = query
  const filters: Filter<UserRow>[] = [from]
  if (column === '_id' || gather) filters.push({ _id: idBounds(siteId, prefix) })
  else {
    filters.push({ site: siteId })
    if (prefix) filters.push({ user: { $gte: orderKey(prefix), $lt: afterPrefix(orderKey(prefix)) } })
  }
  if (column === '_id') {
    const ids = rows.users.find({ $and: filters }, { projection: { _id: 1 }, ...bounded }).sort({ _id: direction })
    return ids
      .skip(skip)
      .limit(wanted)
      .map((row) => row._id)
      .toArray()
  }
  // With few matches the planner must come from the user ids, with many from the sort index: it cannot know which.
  const hint = gather ? { _id: 1 as const } : { site: 1 as const, [column]: 1 as const, user: 1 as const }
  const found = rows.users
    .find({ $and: filters }, { projection: { _id: 0, user: 1 }, hint, ...bounded })
    .sort([...(gather ? [] : [['site', direction] as [string, 1 | -1]]), [column, direction], ['user', direction]])
  return found
    .skip(skip)
    .limit(wanted)
    .map((row) => `${siteBounds(siteId)[0]}${row.user}`)
    .toArray()
}

function toUser({ _id, events, sessions, orders, money, firstAt, lastAt }: UserRow): User {
  return {
    userId: userOfRowId(_id),
    events,
    sessions,
    orders,
    money: toMoney(toExact(money)),
    firstActive: firstAt,
    lastActive: lastAt,
  }
}
