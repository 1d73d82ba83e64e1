import type { Collection } from 'mongodb'
import { AppError } from '../../../errors.ts'
import type { OrderFigures } from '../../figures.ts'
import type { MovedFigures } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { dayFiguresOf, dayRowOf } from '../day-row.ts'
import { fromOrderKey } from '../order-key.ts'
import { trustOf } from '../order-rank.ts'
import {
  dayOfRowId,
  dayRowId,
  idOfRowId,
  plainRowId,
  sessionRowId,
  siteBounds,
  userOfRowId,
  userRowId,
} from '../row-id.ts'
import type { OrderRow, RollupName } from '../rows.ts'
import { sessionFiguresOf, sessionRowOf, userFiguresOf, userRowOf } from '../user-rows.ts'
import { readHead } from '../write/head.ts'

interface Place {
  kind: number
  after: string
}

const kinds = ['users', 'sessions', 'orders', 'days'] as const
const STEP_ROWS = 1000

/** One step along the _id of one collection after the other. */
export async function movedFigures(
  rows: Collections,
  siteId: string,
  text: string | null,
): Promise<{ rows: MovedFigures; next: string | null }> {
  const [first, last] = siteBounds(siteId)
  const place: Place = text === null ? { kind: 0, after: first } : JSON.parse(text)
  const figures: MovedFigures = { users: [], sessions: [], orders: [], days: [], totals: null }
  const name = kinds[place.kind]!
  const step = async <Row extends { _id: string }>(collection: Collection<Row>) => {
    const range = { _id: { $gt: place.after, $lt: last } } as object
    return (await collection
      .find(range, { maxTimeMS: READ_TIMEOUT_MS })
      .sort({ _id: 1 })
      .limit(STEP_ROWS)
      .toArray()) as unknown as Row[]
  }
  let reached: string | undefined
  if (name === 'users') {
    const found = await step(rows.users)
    figures.users = found.map(userFiguresOf)
    reached = found.at(STEP_ROWS - 1)?._id
  } else if (name === 'sessions') {
    const found = await step(rows.sessions)
    figures.sessions = found.map((row) => ({ ...sessionFiguresOf(row), userId: userOfRowId(row.user) }))
    reached = found.at(STEP_ROWS - 1)?._id
  } else if (name === 'orders') {
    const found = await step(rows.orders)
    figures.orders = found.map(orderFiguresOf)
    reached = found.at(STEP_ROWS - 1)?._id
  } else {
    const found = await step(rows.days)
    figures.days = found.map((row) => ({ ...dayFiguresOf(row), dayNo: dayOfRowId(row._id) }))
    reached = found.at(STEP_ROWS - 1)?._id
  }
  if (reached !== undefined) return { rows: figures, next: JSON.stringify({ ...place, after: reached }) }
  if (place.kind < kinds.length - 1)
    return { rows: figures, next: JSON.stringify({ kind: place.kind + 1, after: first }) }
  const totals = await rows.totals.findOne({ _id: siteId })
  if (totals) {
    const { events, users, sessions, firstAt, lastAt, lastReceivedAt } = totals
    figures.totals = { events, users, sessions, firstAt, lastAt, lastReceivedAt }
  }
  return { rows: figures, next: null }
}

/** For a database that nobody else writes to: folds are at rest. The number of folds grows, so that rows that are remembered are forgotten. */
export async function putFigures(rows: Collections, siteId: string, figures: MovedFigures): Promise<void> {
  const head = await readHead(rows)
  if (head.phase !== 'idle') throw new AppError('conflict', 'The target is written to: stop its server first.')
  const fold = head.applied
  const put = async (name: RollupName, found: { _id: string }[]) => {
    if (found.length === 0) return
    const collection = rows[name] as unknown as Collection<{ _id: string }>
    const operations = found.map((row) => ({
      replaceOne: { filter: { _id: row._id }, replacement: row, upsert: true },
    }))
    await collection.bulkWrite(operations, { ordered: false })
  }
  await put(
    'users',
    figures.users.map((user) => userRowOf(siteId, fold, user)),
  )
  await put(
    'sessions',
    figures.sessions.map((session) => sessionRowOf(userRowId(siteId, session.userId), fold, session)),
  )
  await put(
    'orders',
    figures.orders.map((order) => orderRowOf(siteId, fold, order)),
  )
  await put(
    'days',
    figures.days.map(({ dayNo, ...day }) => dayRowOf(dayRowId(siteId, dayNo), fold, day)),
  )
  if (figures.totals) {
    await put('totals', [{ _id: siteId, ...{ fold }, ...figures.totals }])
    await rows.sites.updateOne({ _id: siteId }, { $set: { isZoneFixed: true } })
  }
  await rows.head.updateOne({ _id: 'head', phase: 'idle', applied: fold }, { $set: { applied: fold + 1 } })
}

function orderFiguresOf(row: OrderRow): OrderFigures {
  const { _id, at, seq, event, user, session, currency, gross, others = [] } = row
  const sessionId = fromOrderKey(session.slice(user.length + 1))
  const place = { occurredAt: at, seq, eventId: event, trust: trustOf(row), others }
  return { orderId: idOfRowId(_id), ...place, userId: userOfRowId(user), sessionId, currency, gross }
}

export function orderRowOf(siteId: string, fold: number, order: OrderFigures): OrderRow {
  const { orderId, occurredAt: at, seq, eventId: event, trust, currency, gross, others } = order
  const user = userRowId(siteId, order.userId)
  const session = sessionRowId(user, order.sessionId)
  return {
    ...{ _id: plainRowId(siteId, orderId), fold, at, seq, event, user, session, currency, gross },
    ...(trust === 'claimed' && { claimed: true as const }),
    ...(others.length > 0 && { others }),
  }
}
