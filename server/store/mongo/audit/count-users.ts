import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthStart } from '../../../analysis/months.ts'
import type { OrderFigures } from '../../figures.ts'
import { compareRanks, type OrderRank } from '../../orders.ts'
import type { Purchase } from '../../purchase.ts'
import type { UsersAudit } from '../../store.ts'
import { type SessionEvents, UserCount, type UserRows } from '../../user-count.ts'
import type { Collections } from '../collections.ts'
import { rankOf, trustOf } from '../order-rank.ts'
import { keptFrom } from '../retention.ts'
import { idOfRowId, plainRowId, userOfRowId } from '../row-id.ts'
import type { OrderRow } from '../rows.ts'

/** What the events of one user come to. */
export interface CountedUser {
  count: UserCount
  /** That count by purchases of this user and are not there, or count by another. */
  orders: OrderFigures[]
}

/** A user whose rows are not what the events come to. `fold` is that of the user's row; null where there is none. */
export interface WrongUser {
  id: string
  fold: number | null
  stored: UserRows
  counted: CountedUser
  differences: UsersAudit['differences']
}

interface FoundPurchase extends OrderRank {
  user: string
  session: string
  occurredAt: number
  purchase: Purchase
}

/** Days begin at a quarter of an hour. */
const QUARTER_MS = 900_000
const STEP_IDS = 200
const BY_USER = { user: 1, at: 1, seq: 1, type: 1 } as const

/** Counts users from their events; `users` are the _ids of their rows. */
export async function countUsers(
  rows: Collections,
  { siteId, zone, users }: { siteId: string; zone: string; users: readonly string[] },
  signal?: AbortSignal,
): Promise<Map<string, CountedUser>> {
  const month = await keptFrom(rows)
  const start = month === 0 ? 0 : monthStart(month)
  const counted = new Map(
    users.map((user): [string, CountedUser] => [user, { count: new UserCount(zone, start), orders: [] }]),
  )
  const months = (await rows.months.find({}).sort({ _id: 1 }).toArray()).map((row) => row._id)
  const purchases: FoundPurchase[] = []
  for (const month of months) {
    signal?.throwIfAborted()
    await addEvents(rows, month, users, counted)
    await addPurchases(rows, month, users, purchases)
  }
  await countOrders(rows, siteId, purchases, counted)
  return counted
}

async function addEvents(
  rows: Collections,
  month: number,
  users: readonly string[],
  counted: Map<string, CountedUser>,
): Promise<void> {
  // One after another in the order of time: to sum up a user with millions of them is too long for one command.
  const found = rows
    .events(month)
    .find({ user: { $in: [...users] } }, { projection: { _id: 0, user: 1, session: 1, at: 1 }, hint: BY_USER })
    .sort({ user: 1, at: 1 })
  let run: Run | null = null
  for await (const { user, session, at } of found) {
    if (run && isOfRun(run, user, session, at)) {
      run.events += 1
      run.lastAt = at
      continue
    }
    if (run) counted.get(run.user)?.count.addEvents(run.session, run)
    run = { user, session, events: 1, firstAt: at, lastAt: at }
  }
  if (run) counted.get(run.user)?.count.addEvents(run.session, run)
}

/** Events of one session that come one after another and are of one day. */
interface Run extends SessionEvents {
  user: string
  session: string
}

function isOfRun(run: Run, user: string, session: string, at: number): boolean {
  return (
    run.user === user && run.session === session && Math.floor(run.firstAt / QUARTER_MS) === Math.floor(at / QUARTER_MS)
  )
}

async function addPurchases(
  rows: Collections,
  month: number,
  users: readonly string[],
  purchases: FoundPurchase[],
): Promise<void> {
  const found = rows.events(month).find({ user: { $in: [...users] }, type: 'purchase' })
  for await (const { _id, user, session, at, seq, payload, claimed } of found) {
    const reading = readPurchase(payload === null ? null : JSON.parse(payload))
    if (!('purchase' in reading)) continue
    const rank = { trust: trustOf(claimed ? { claimed } : {}), seq, eventId: idOfRowId(_id) }
    purchases.push({ user, session, occurredAt: at, ...rank, purchase: reading.purchase })
  }
}

/** A purchase counts if it is the one that its order counts by, which the order's row tells. */
async function countOrders(
  rows: Collections,
  siteId: string,
  purchases: FoundPurchase[],
  counted: Map<string, CountedUser>,
): Promise<void> {
  purchases.sort(compareRanks)
  const ids = [...new Set(purchases.map(({ purchase }) => plainRowId(siteId, purchase.orderId)))]
  const stored = new Map<string, OrderRow>()
  for (let from = 0; from < ids.length; from += STEP_IDS)
    for (const row of await rows.orders.find({ _id: { $in: ids.slice(from, from + STEP_IDS) } }).toArray())
      stored.set(row._id, row)
  const missing = new Set<string>()
  for (const { user, session, purchase, ...place } of purchases) {
    const { orderId } = purchase
    const row = stored.get(plainRowId(siteId, orderId))
    const later = row ? compareRanks(place, rankOf(row)) : -1
    // In the order of ranks, so another purchase was before it.
    if (later > 0 || missing.has(orderId)) continue
    const { count, orders } = counted.get(user)!
    count.addOrder(session, { ...purchase, trust: place.trust })
    if (later === 0) continue
    missing.add(orderId)
    orders.push({ ...purchase, ...place, userId: userOfRowId(user), sessionId: session, others: row?.others ?? [] })
  }
}
