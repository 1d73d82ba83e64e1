import type { Collection } from 'mongodb'
import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthStart } from '../../../analysis/months.ts'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { GatheredAside, GatheredMoney } from '../../gathered.ts'
import { joinOrders, settleOrder } from '../../orders.ts'
import type { Collections } from '../collections.ts'
import { asideSums, fromExact } from '../money.ts'
import { trustOf } from '../order-rank.ts'
import { orderSumOf, rowOfOrder } from '../order-rows.ts'
import { keptFrom } from '../retention.ts'
import { dayRowId, idOfRowId, plainRowId, siteOfRowId, userOfRowId } from '../row-id.ts'
import type { EventRow, MoneySums, OrderRow } from '../rows.ts'
import { Folder } from '../write/folder.ts'
import { Gate } from '../write/gate.ts'
import { unfoldedBatches } from '../write/ledger.ts'
import type { OrderSum } from '../write/summary.ts'

/** Where orders are counted before they take the place of those that are there. */
const COUNTED = 'orders_counted'
const STEP_ROWS = 1000
/** Events that the server sends at once, be they large. */
const SENT_EVENTS = 200

/**
 * Counts every order again from the events, with its money on days, users and sessions and with what is set aside. Of
 * dropped months, whose events are gone, orders stay as they were counted. Nobody else may write meanwhile; run again
 * after it was cut short anywhere it comes to the same.
 */
export async function recountOrders(rows: Collections, tell: (done: number, of: number) => void): Promise<void> {
  await settleBatches(rows)
  const counted = rows.database.collection<OrderRow>(COUNTED)
  await counted.deleteMany({})
  await counted.createIndex({ user: 1 })
  const zones = new Map((await rows.sites.find().toArray()).map(({ _id, timeZone }) => [_id, timeZone]))
  const days = new Days()
  await keepDropped(rows, counted)
  await countPurchases(rows, counted, zones, days, tell)
  await putOrders(rows, counted)
  await putMoney(rows, counted, zones, days)
  await counted.drop()
  // Rows that other processes remember are forgotten.
  await rows.head.updateOne({ _id: 'head', phase: 'idle' }, { $inc: { applied: 1 } })
}

/** Batches of the release before, whose figures are of its own kind, go into the rows first. */
async function settleBatches(rows: Collections): Promise<void> {
  const folder = new Folder(rows, new Gate())
  await folder.finishStanding()
  await folder.settle(await unfoldedBatches(rows))
  await folder.close()
}

async function keepDropped(rows: Collections, counted: Collection<OrderRow>): Promise<void> {
  const month = await keptFrom(rows)
  if (month === 0) return
  for await (const step of inSteps(rows.orders.find({ at: { $lt: monthStart(month) } }))) await counted.insertMany(step)
}

async function countPurchases(
  rows: Collections,
  counted: Collection<OrderRow>,
  zones: ReadonlyMap<string, string>,
  days: Days,
  tell: (done: number, of: number) => void,
): Promise<void> {
  const months = (await rows.months.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
  for (const [done, month] of months.entries()) {
    tell(done, months.length)
    let orders = new Map<string, OrderSum>()
    for await (const row of rows.events(month).find({ type: 'purchase' }, { batchSize: SENT_EVENTS })) {
      countPurchase(row, zones, days, orders)
      if (orders.size < STEP_ROWS) continue
      await settleOrders(counted, zones, days, orders)
      orders = new Map()
    }
    await settleOrders(counted, zones, days, orders)
  }
  tell(months.length, months.length)
}

function countPurchase(
  row: EventRow,
  zones: ReadonlyMap<string, string>,
  days: Days,
  orders: Map<string, OrderSum>,
): void {
  const siteId = siteOfRowId(row._id)
  const dayNo = dayNumberOf(zones.get(siteId)!, row.at)
  const reading = readPurchase(row.payload === null ? null : JSON.parse(row.payload))
  if ('aside' in reading) {
    const { reason, currency, gross } = reading.aside
    days.of(siteId, dayNo).aside.add([reason, currency, 1, BigInt(gross)])
    return
  }
  const { orderId, currency, gross } = reading.purchase
  const first = {
    ...{ trust: trustOf(row), seq: row.seq, eventId: idOfRowId(row._id), dayNo, currency, gross },
    ...{ occurredAt: row.at, userId: userOfRowId(row.user), sessionId: row.session },
  }
  const id = plainRowId(siteId, orderId)
  orders.set(id, joinOrders(orders.get(id), { first, others: [] }))
}

async function settleOrders(
  counted: Collection<OrderRow>,
  zones: ReadonlyMap<string, string>,
  days: Days,
  orders: ReadonlyMap<string, OrderSum>,
): Promise<void> {
  if (orders.size === 0) return
  const found = await counted.find({ _id: { $in: [...orders.keys()] } }).toArray()
  const before = new Map(found.map((row) => [row._id, row]))
  const operations = [...orders].map(([_id, more]) => {
    const siteId = siteOfRowId(_id)
    const row = before.get(_id)
    const { after, aside } = settleOrder(row && orderSumOf(row, zones.get(siteId)!), more)
    for (const { dayNo, reason, currency, purchases, gross } of aside)
      days.of(siteId, dayNo).aside.add([reason, currency, purchases, gross])
    return { replaceOne: { filter: { _id }, replacement: rowOfOrder(_id, 0, after), upsert: true } }
  })
  await counted.bulkWrite(operations, { ordered: false })
}

async function putOrders(rows: Collections, counted: Collection<OrderRow>): Promise<void> {
  for await (const step of inSteps(counted.find())) {
    const operations = step.map((row) => ({ replaceOne: { filter: { _id: row._id }, replacement: row, upsert: true } }))
    await rows.orders.bulkWrite(operations, { ordered: false })
  }
  for await (const step of inSteps(rows.orders.find({}, { projection: { _id: 1 } }))) {
    const ids = step.map(({ _id }) => _id)
    const there = await counted.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray()
    const kept = new Set(there.map(({ _id }) => _id))
    const gone = ids.filter((id) => !kept.has(id))
    if (gone.length > 0) await rows.orders.deleteMany({ _id: { $in: gone } })
  }
}

async function putMoney(
  rows: Collections,
  counted: Collection<OrderRow>,
  zones: ReadonlyMap<string, string>,
  days: Days,
): Promise<void> {
  const none = { $set: { orders: 0, money: [] } }
  await rows.users.updateMany({ orders: { $ne: 0 } }, none)
  await rows.sessions.updateMany({ orders: { $ne: 0 } }, none)
  await rows.days.updateMany({}, { $set: { orders: 0, orderingSessions: 0, money: [] }, $unset: { aside: 1 } })
  const changes = new MoneyChanges(rows)
  let ofUser: OrderRow[] = []
  for await (const row of counted.find().sort({ user: 1 })) {
    const siteId = siteOfRowId(row._id)
    days.of(siteId, dayNumberOf(zones.get(siteId)!, row.at)).money.add({ ...row, trust: trustOf(row) }, 1)
    if (ofUser[0] && ofUser[0].user !== row.user) {
      await changes.add(ofUser)
      ofUser = []
    }
    ofUser.push(row)
  }
  if (ofUser.length > 0) await changes.add(ofUser)
  await changes.save()
  for await (const { user, startAt } of rows.sessions.find({ orders: { $gt: 0 } })) {
    const siteId = siteOfRowId(user)
    days.of(siteId, dayNumberOf(zones.get(siteId)!, startAt)).orderingSessions += 1
  }
  await days.save(rows)
}

interface MoneyChange {
  updateOne: { filter: { _id: string }; update: { $set: { orders: number; money: MoneySums } } }
}

/** What the orders of users come to, written in steps. */
class MoneyChanges {
  readonly #rows: Collections
  #users: MoneyChange[] = []
  #sessions: MoneyChange[] = []

  constructor(rows: Collections) {
    this.#rows = rows
  }

  /** All orders of one user. */
  async add(orders: readonly OrderRow[]): Promise<void> {
    this.#users.push(moneyChange(orders[0]!.user, orders))
    const bySession = new Map<string, OrderRow[]>()
    for (const order of orders) {
      const own = bySession.get(order.session)
      if (own) own.push(order)
      else bySession.set(order.session, [order])
    }
    for (const [session, own] of bySession) this.#sessions.push(moneyChange(session, own))
    if (this.#sessions.length >= STEP_ROWS) await this.save()
  }

  async save(): Promise<void> {
    if (this.#users.length === 0) return
    await this.#rows.users.bulkWrite(this.#users, { ordered: false })
    await this.#rows.sessions.bulkWrite(this.#sessions, { ordered: false })
    this.#users = []
    this.#sessions = []
  }
}

function moneyChange(_id: string, orders: readonly OrderRow[]): MoneyChange {
  const money = new GatheredMoney()
  for (const row of orders) money.add({ ...row, trust: trustOf(row) }, 1)
  return { updateOne: { filter: { _id }, update: { $set: { orders: orders.length, money: fromExact(money.sums()) } } } }
}

interface Day {
  money: GatheredMoney
  aside: GatheredAside
  orderingSessions: number
}

class Days {
  readonly #days = new Map<string, Day>()

  of(siteId: string, dayNo: number): Day {
    const _id = dayRowId(siteId, dayNo)
    let day = this.#days.get(_id)
    if (!day) {
      day = { money: new GatheredMoney(), aside: new GatheredAside(), orderingSessions: 0 }
      this.#days.set(_id, day)
    }
    return day
  }

  async save(rows: Collections): Promise<void> {
    for (const [_id, { money, aside, orderingSessions }] of this.#days) {
      const sums = asideSums(aside.sums())
      const { orders } = money
      const set = { orders, orderingSessions, money: fromExact(money.sums()), ...(sums.length > 0 && { aside: sums }) }
      await rows.days.updateOne({ _id }, { $set: set })
    }
  }
}

async function* inSteps<Row>(found: AsyncIterable<Row>): AsyncGenerator<Row[]> {
  let step: Row[] = []
  for await (const row of found) {
    step.push(row)
    if (step.length < STEP_ROWS) continue
    yield step
    step = []
  }
  if (step.length > 0) yield step
}
