import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf, monthStart } from '../../../analysis/months.ts'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { DayCount } from '../../day-figures.ts'
import { DayVisitor, dayWindow } from '../../day-window.ts'
import type { DayFigures } from '../../figures.ts'
import type { Collections } from '../collections.ts'
import { fromOrderKey } from '../order-key.ts'
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
  const earlier = months.filter((month) => month <= monthOf(window.from))
  for await (const visitors of visitorsOf(rows, audited, months, count)) {
    signal?.throwIfAborted()
    const unknown = await addKnown(rows, visitors, dayNo, window.from)
    if (unknown.size > 0) {
      await addEarlier(rows, earlier, unknown, window.from)
      await addDropped(rows, audited, unknown)
    }
    await countVisits(rows, visitors, count)
  }
  const orders = count.orderIds.map((orderId) => plainRowId(siteId, orderId))
  for (let from = 0; from < orders.length; from += STEP_USERS) {
    const step = orders.slice(from, from + STEP_USERS)
    const found = await rows.orders.find({ _id: { $in: step } }).toArray()
    const counting = new Map(
      found.map((row) => [
        row._id,
        {
          ...{ ...rankOf(row), occurredAt: row.at, currency: row.currency, gross: row.gross },
          repetitions: row.others?.length ?? 0,
        },
      ]),
    )
    for (const id of step) count.addOrder(idOfRowId(id), counting.get(id))
  }
  return count.figures()
}

/**
 * Those with events on the day, some at a time: along the index of users and times, which skips the other days of each
 * user. The events of a window that is of two months are read side by side.
 */
async function* visitorsOf(
  rows: Collections,
  { siteId, zone, dayNo, signal }: AuditedDay,
  months: number[],
  count: DayCount,
): AsyncGenerator<Visitors> {
  const [first, last] = siteBounds(siteId)
  const { from, to } = dayWindow(zone, dayNo)
  const ofWindow = { user: { $gte: first, $lt: last }, at: { $gte: from, $lt: to } }
  const touched = months.filter((month) => month >= monthOf(from) && month <= monthOf(to - 1))
  const fields = { _id: 0, user: 1, session: 1, type: 1, at: 1 } as const
  const lanes = await Promise.all(
    touched.map(async (month) => {
      const options = { projection: fields, hint: BY_USER, maxTimeMS: LONGEST_MS }
      const found = rows.events(month).find(ofWindow, options).sort({ user: 1, at: 1 })[Symbol.asyncIterator]()
      return { found, next: await found.next() }
    }),
  )
  let visitors: Visitors = new Map()
  try {
    for (;;) {
      signal?.throwIfAborted()
      const users = lanes.flatMap(({ next }) => (next.done ? [] : [next.value.user]))
      const [user] = users.sort()
      if (user === undefined) break
      const visitor = new DayVisitor<string>(zone, dayNo, NO_DAY)
      for (const lane of lanes)
        for (; !lane.next.done && lane.next.value.user === user; lane.next = await lane.found.next()) {
          const { session, type, at } = lane.next.value
          if (visitor.add(session, at)) count.addEvent(type, at)
        }
      if (visitor.isActive) visitors.set(user, visitor)
      if (visitors.size < STEP_USERS) continue
      yield visitors
      visitors = new Map()
    }
  } finally {
    await Promise.all(lanes.map(({ found }) => found.return?.(undefined)))
  }
  if (visitors.size > 0) yield visitors
  for (const month of touched) {
    const purchases = rows
      .events(month)
      .find({ ...ofWindow, type: 'purchase' }, { hint: BY_USER, maxTimeMS: LONGEST_MS })
    for await (const { _id, at, seq, payload, claimed } of purchases) {
      signal?.throwIfAborted()
      if (dayNumberOf(zone, at) !== dayNo) continue
      const rank = { trust: trustOf(claimed ? { claimed } : {}), seq, eventId: idOfRowId(_id) }
      count.addPurchase(rank, readPurchase(payload === null ? null : JSON.parse(payload)))
    }
  }
}

/**
 * What the visitors did before the day, by the rows of users and sessions: the audit of users holds these against all
 * events, and reading the history of everybody who came on a day is no more than that once again. Returns those of whom
 * the rows know too little, whose history is read.
 */
async function addKnown(rows: Collections, visitors: Visitors, dayNo: number, before: number): Promise<Visitors> {
  const unknown: Visitors = new Map(visitors)
  const users = rows.users.find({ _id: { $in: [...visitors.keys()] } }, { projection: { days: 1 } })
  for (const { _id, days } of await users.toArray()) {
    const active = unpackAscending(days.value())
    if (!active.includes(dayNo)) continue
    unknown.delete(_id)
    for (const day of active) visitors.get(_id)?.addDay(day)
  }
  const owners = new Map<string, string>()
  for (const [user, visitor] of visitors)
    for (const session of visitor.sessions) owners.set(sessionRowId(user, session), user)
  const ids = [...owners.keys()]
  for (let from = 0; from < ids.length; from += STEP_USERS) {
    const step = { _id: { $in: ids.slice(from, from + STEP_USERS) } }
    for (const row of await rows.sessions.find(step, { projection: { user: 1, session: 1, startAt: 1 } }).toArray()) {
      owners.delete(row._id)
      if (row.startAt < before) visitors.get(row.user)?.addEarlier(fromOrderKey(row.session), row.startAt)
    }
  }
  // Of sessions without a row only the events know when they began.
  for (const user of owners.values()) unknown.set(user, visitors.get(user)!)
  return unknown
}

/** For rows that come one after another all the while: the whole of a day. */
export const LONGEST_MS = 30 * 60_000
export const BY_USER = { user: 1, at: 1, seq: 1, type: 1 } as const

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
