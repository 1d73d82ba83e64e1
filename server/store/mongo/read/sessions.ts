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
  const answer: Session[] = []
  // Ranks are counted from the newest on; each count begins where the one before ended.
  let rank = stored.sessions
  let upper: SessionRow | null = null
  for (const row of found) {
    // Without ids the rows of a page are neighbours.
    if (!upper) rank -= await countNewer(rows, row)
    else rank -= query.ids ? (await countNewer(rows, row)) - (await countNewer(rows, upper)) : 1
    upper = row
    answer.push({
      sessionId: fromOrderKey(row.session),
      number: rank,
      start: row.startAt,
      end: row.endAt,
      events: row.events,
      orders: row.orders,
      money: toMoney(toExact(row.money)),
    })
  }
  return answer
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
