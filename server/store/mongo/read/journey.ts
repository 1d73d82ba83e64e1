import type { Filter } from 'mongodb'
import { eventBytes } from '../../../analysis/event-bytes.ts'
import { monthOf } from '../../../analysis/months.ts'
import { compareEvents, compareText } from '../../event-order.ts'
import type { JourneyQuery, StoredEvent } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { sessionRowId, userRowId } from '../row-id.ts'
import type { EventRow } from '../rows.ts'
import { toStoredEvent } from './event-row.ts'

interface Bounds {
  user: string
  from: number
  /** Inclusive. */
  to: number
}

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/**
 * Month by month along the index (user, at, seq). Events of one (occurredAt, seq) are put in order of their ids here,
 * since the index does not hold them.
 */
export async function journey(rows: Collections, query: JourneyQuery): Promise<StoredEvent[]> {
  if (query.limit <= 0) return []
  const bounds = await boundsOf(rows, query)
  if (!bounds) return []
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
  for (const month of await monthsOf(rows, bounds, query.order)) {
    const found = rows
      .events(month)
      .find(filterOf(bounds, query), {
        ...bounded,
        batchSize: Math.min(query.limit + 1, query.maxBytes === undefined ? BATCH_ROWS : BOUNDED_BATCH_ROWS),
      })
      .sort([
        ['at', sign],
        ['seq', sign],
      ])
    for await (const row of found) {
      const event = toStoredEvent(row)
      const tied = ties[0]
      if (tied && (tied.occurredAt !== event.occurredAt || tied.seq !== event.seq)) {
        flush()
        if (isFull()) {
          await found.close()
          return events.slice(0, query.limit)
        }
      }
      if (!query.after || sign * compareEvents(event, query.after) > 0) ties.push(event)
    }
  }
  flush()
  return events.slice(0, query.limit)
}

/** Rows that the server sends at once. */
const BATCH_ROWS = 1000
/** Where large ones must not come by the hundred. */
const BOUNDED_BATCH_ROWS = 200

/** null when nothing can match. */
async function boundsOf({ users, sessions }: Collections, query: JourneyQuery): Promise<Bounds | null> {
  const id = userRowId(query.siteId, query.userId)
  const user = await users.findOne({ _id: id }, { projection: { firstAt: 1, lastAt: 1 }, ...bounded })
  if (!user) return null
  const bounds: Bounds = {
    user: id,
    from: Math.max(user.firstAt, query.from ?? user.firstAt),
    to: Math.min(user.lastAt, (query.to ?? user.lastAt + 1) - 1),
  }
  if (query.after) {
    if (query.order === 'desc') bounds.to = Math.min(bounds.to, query.after.occurredAt)
    else bounds.from = Math.max(bounds.from, query.after.occurredAt)
  }
  if (query.sessionId !== undefined) {
    const session = await sessions.findOne({ _id: sessionRowId(id, query.sessionId) }, bounded)
    if (!session) return null
    bounds.from = Math.max(bounds.from, session.startAt)
    bounds.to = Math.min(bounds.to, session.endAt)
  }
  return bounds.from <= bounds.to ? bounds : null
}

async function monthsOf(
  { months }: Collections,
  { from, to }: Bounds,
  order: JourneyQuery['order'],
): Promise<number[]> {
  const rows = months.find({ _id: { $gte: monthOf(from), $lte: monthOf(to) } }, bounded)
  return rows
    .sort({ _id: order === 'desc' ? -1 : 1 })
    .map((row) => row._id)
    .toArray()
}

function filterOf({ user, from, to }: Bounds, { type, sessionId }: JourneyQuery): Filter<EventRow> {
  return {
    user,
    at: { $gte: from, $lte: to },
    ...(type !== undefined && { type }),
    ...(sessionId !== undefined && { session: sessionId }),
  }
}
