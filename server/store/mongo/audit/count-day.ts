import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf, monthStart } from '../../../analysis/months.ts'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { DayCount } from '../../day-figures.ts'
import { DayVisitor, dayWindow } from '../../day-window.ts'
import type { DayFigures } from '../../figures.ts'
import type { Collections } from '../collections.ts'
import { rankOf, trustOf } from '../order-rank.ts'
import { unpackAscending } from '../packed-numbers.ts'
import { NO_DAY } from '../pairs.ts'
import { idOfRowId, plainRowId, sessionRowId, siteBounds } from '../row-id.ts'

export interface AuditedDay {
  siteId: string
  zone: string
  dayNo: number
  /** YYYYMM; 0 when every month is kept. */
  firstMonth: number
  signal?: AbortSignal
}

type Visitors = Map<string, DayVisitor<string>>

/** Users whose history is read at once. */
const STEP_USERS = 200

/** Counts a day from its events; of what is older than the kept months, from the rows of users and sessions. */
export async function countDay(rows: Collections, audited: AuditedDay): Promise<DayFigures> {
  const { siteId, zone, dayNo, signal } = audited
  const count = new DayCount(zone, dayNo)
  const window = dayWindow(zone, dayNo)
  const months = (await rows.months.find({}).sort({ _id: 1 }).toArray()).map((row) => row._id)
  const visitors = await countEvents(rows, audited, months, count)
  const active = [...visitors].filter(([, visitor]) => visitor.isActive)
  for (let from = 0; from < active.length; from += STEP_USERS) {
    signal?.throwIfAborted()
    const step: Visitors = new Map(active.slice(from, from + STEP_USERS))
    const earlier = months.filter((month) => month <= monthOf(window.from))
    await addEarlier(rows, earlier, step, window.from)
    await addDropped(rows, audited, step)
    await countVisits(rows, step, count)
  }
  const orders = count.orderIds.map((orderId) => plainRowId(siteId, orderId))
  for (let from = 0; from < orders.length; from += STEP_USERS) {
    const step = orders.slice(from, from + STEP_USERS)
    const found = await rows.orders.find({ _id: { $in: step } }).toArray()
    const counting = new Map(
      found.map((row) => [row._id, { ...rankOf(row), occurredAt: row.at, currency: row.currency, gross: row.gross }]),
    )
    for (const id of step) count.addOrder(idOfRowId(id), counting.get(id))
  }
  return count.figures()
}

/** Along the index of users and times, which skips the other days of each user. */
async function countEvents(
  rows: Collections,
  { siteId, zone, dayNo, signal }: AuditedDay,
  months: number[],
  count: DayCount,
): Promise<Visitors> {
  const visitors: Visitors = new Map()
  const [first, last] = siteBounds(siteId)
  const { from, to } = dayWindow(zone, dayNo)
  const ofWindow = { user: { $gte: first, $lt: last }, at: { $gte: from, $lt: to } }
  for (const month of months) {
    if (month < monthOf(from) || month > monthOf(to - 1)) continue
    const events = rows.events(month)
    const fields = { _id: 0, user: 1, session: 1, type: 1, at: 1 } as const
    for await (const row of events.find(ofWindow, { projection: fields, hint: BY_USER })) {
      signal?.throwIfAborted()
      let visitor = visitors.get(row.user)
      if (!visitor) {
        visitor = new DayVisitor(zone, dayNo, NO_DAY)
        visitors.set(row.user, visitor)
      }
      if (visitor.add(row.session, row.at)) count.addEvent(row.type, row.at)
    }
    const purchases = events.find({ ...ofWindow, type: 'purchase' }, { hint: BY_USER })
    for await (const { _id, at, seq, payload, claimed } of purchases) {
      if (dayNumberOf(zone, at) !== dayNo) continue
      const rank = { trust: trustOf(claimed ? { claimed } : {}), seq, eventId: idOfRowId(_id) }
      count.addPurchase(rank, readPurchase(payload === null ? null : JSON.parse(payload)))
    }
  }
  return visitors
}

const BY_USER = { user: 1, at: 1, seq: 1, type: 1 } as const

async function addEarlier(rows: Collections, months: number[], visitors: Visitors, before: number): Promise<void> {
  const match = { $match: { user: { $in: [...visitors.keys()] }, at: { $lt: before } } }
  const group = { $group: { _id: { user: '$user', session: '$session' }, last: { $max: '$at' } } }
  for (const month of months) {
    const found = rows.events(month).aggregate<{ _id: { user: string; session: string }; last: number }>([match, group])
    for await (const { _id, last } of found) visitors.get(_id.user)?.addEarlier(_id.session, last)
  }
}

/** Of months that are dropped only the roll-ups know. */
async function addDropped(rows: Collections, { zone, firstMonth }: AuditedDay, visitors: Visitors): Promise<void> {
  if (firstMonth === 0) return
  const start = monthStart(firstMonth)
  const user = { $in: [...visitors.keys()] }
  for await (const row of rows.sessions.find({ user, startAt: { $lt: start } }))
    visitors.get(row.user)?.addEarlier(row.session, row.startAt)
  const lastDay = dayNumberOf(zone, start - 1)
  for await (const row of rows.users.find({ _id: user }, { projection: { days: 1 } }))
    for (const day of unpackAscending(row.days.value())) if (day <= lastDay) visitors.get(row._id)?.addDay(day)
}

async function countVisits(rows: Collections, visitors: Visitors, count: DayCount): Promise<void> {
  for (const visitor of visitors.values()) count.addUser(visitor.previousDay)
  const ids = [...visitors].flatMap(([user, visitor]) => visitor.sessions.map((session) => sessionRowId(user, session)))
  const ordering = new Set<string>()
  for (let from = 0; from < ids.length; from += STEP_USERS) {
    const found = rows.sessions.find(
      { _id: { $in: ids.slice(from, from + STEP_USERS) } },
      { projection: { orders: 1 } },
    )
    for await (const { _id, orders } of found) if (orders > 0) ordering.add(_id)
  }
  for (const id of ids) count.addSession(ordering.has(id))
}
