import type { Filter } from 'mongodb'
import { compareText } from '../../event-order.ts'
import { toMoney } from '../../money.ts'
import type { SessionRow as Session } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { toExact } from '../money.ts'
import { fromOrderKey, orderKey } from '../order-key.ts'
import { sessionRowId, userRowId } from '../row-id.ts'
import type { SessionRow } from '../rows.ts'

export interface SessionsQuery {
  siteId: string
  userId: string
  limit: number
  after?: { start: number; sessionId: string }
  ids?: string[]
}

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

export async function sessions(rows: Collections, query: SessionsQuery): Promise<Session[]> {
  const user = userRowId(query.siteId, query.userId)
  const stored = await rows.users.findOne({ _id: user }, { projection: { sessions: 1 }, ...bounded })
  if (!stored || query.limit <= 0) return []
  const found = query.ids ? await byIds(rows, user, query) : await newest(rows, user, query)
  const [first] = found
  if (!first) return []
  // Without ids the rows of a page are neighbours.
  const before = query.ids ? await countEachNewer(rows, found, stored.sessions) : found.map((_, place) => place)
  const newer = query.ids ? 0 : await countNewer(rows, first)
  return found.map((row, place) => ({
    sessionId: fromOrderKey(row.session),
    number: stored.sessions - newer - before[place]!,
    start: row.startAt,
    end: row.endAt,
    events: row.events,
    orders: row.orders,
    money: toMoney(toExact(row.money)),
  }))
}

async function newest(rows: Collections, user: string, { after, limit }: SessionsQuery): Promise<SessionRow[]> {
  if (!after) return walk(rows, { user }, limit)
  const { start, sessionId } = after
  const ties = await walk(rows, { user, startAt: start, session: { $lt: orderKey(sessionId) } }, limit)
  if (ties.length === limit) return ties
  return [...ties, ...(await walk(rows, { user, startAt: { $lt: start } }, limit - ties.length))]
}

function walk({ sessions }: Collections, filter: Filter<SessionRow>, limit: number): Promise<SessionRow[]> {
  const order = [
    ['startAt', -1],
    ['session', -1],
  ] as [string, -1][]
  return sessions.find(filter, bounded).sort(order).limit(limit).toArray()
}

async function byIds(
  { sessions }: Collections,
  user: string,
  { ids = [], after, limit }: SessionsQuery,
): Promise<SessionRow[]> {
  const keys = [...new Set(ids)].map((id) => sessionRowId(user, id))
  const found = await sessions.find({ _id: { $in: keys } }, bounded).toArray()
  const last = after && { startAt: after.start, session: orderKey(after.sessionId) }
  return found
    .filter((row) => !last || compare(row, last) < 0)
    .sort((a, b) => compare(b, a))
    .slice(0, limit)
}

type Place = Pick<SessionRow, 'startAt' | 'session'>

function compare(a: Place, b: Place): number {
  return a.startAt - b.startAt || compareText(a.session, b.session)
}

async function countNewer({ sessions }: Collections, { user, startAt, session }: SessionRow): Promise<number> {
  const [later, ties] = await Promise.all([
    sessions.countDocuments({ user, startAt: { $gt: startAt } }, bounded),
    sessions.countDocuments({ user, startAt, session: { $gt: session } }, bounded),
  ])
  return later + ties
}

/** Up to so many sessions of a user are read along their index; of more, stretches between the wanted ones are counted. */
const WALKED_SESSIONS = 20_000

/** How many sessions of the user are newer than each of these, which come newest first. No session is looked at twice. */
async function countEachNewer(rows: Collections, found: readonly SessionRow[], ofUser: number): Promise<number[]> {
  const [first, last] = [found[0]!, found.at(-1)!]
  const counts: number[] = []
  if (ofUser <= WALKED_SESSIONS) {
    const places = rows.sessions
      .find(
        { user: first.user, startAt: { $gte: last.startAt } },
        { projection: { _id: 0, startAt: 1, session: 1 }, ...bounded },
      )
      .sort({ startAt: -1, session: -1 })
    let newer = 0
    for await (const place of places) {
      if (counts.length < found.length && compare(place, found[counts.length]!) === 0) counts.push(newer)
      newer += 1
    }
    return counts
  }
  for (const [place, row] of found.entries()) {
    const upper = found[place - 1]
    counts.push(upper ? counts[place - 1]! + 1 + (await countBetween(rows, row, upper)) : await countNewer(rows, row))
  }
  return counts
}

async function countBetween({ sessions }: Collections, lower: SessionRow, upper: SessionRow): Promise<number> {
  const { user } = lower
  const ties = (filter: Filter<SessionRow>) => sessions.countDocuments({ user, ...filter }, bounded)
  if (lower.startAt === upper.startAt)
    return ties({ startAt: lower.startAt, session: { $gt: lower.session, $lt: upper.session } })
  const counts = await Promise.all([
    ties({ startAt: lower.startAt, session: { $gt: lower.session } }),
    ties({ startAt: { $gt: lower.startAt, $lt: upper.startAt } }),
    ties({ startAt: upper.startAt, session: { $lt: upper.session } }),
  ])
  return counts.reduce((sum, count) => sum + count, 0)
}
