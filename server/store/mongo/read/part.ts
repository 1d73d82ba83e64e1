import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf, monthStart } from '../../../analysis/months.ts'
import { addDays, dayNumber, dayStretches, hourStart, type Stretch } from '../../../analysis/zones.ts'
import { PartOrders } from '../../part-orders.ts'
import { type PartFigures, toOverview, withPart } from '../../range-figures.ts'
import type { UntilQuery, UntilRow } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { rankOf, trustOf } from '../order-rank.ts'
import { unpackAscending } from '../packed-numbers.ts'
import { keptFrom } from '../retention.ts'
import { idOfRowId, plainRowId, sessionRowId, siteBounds } from '../row-id.ts'
import { hours, rangeFigures } from './overview.ts'

/** Longest work on one count; each of its commands has the time of a question. */
const COUNT_MS = 25_000
/** A day with more events up to the instant would not be counted in that time. */
const MOST_EVENTS = 1_000_000
/** Rows that are looked up at once. */
const STEP_ROWS = 1000
/** Counts that events spoil which are just being stored. */
const TRIES = 3

type Answer = UntilRow | { missing: 'not_kept' | 'too_many' | 'busy' }

/**
 * Roll-ups of the days before the last, and the events of the last up to the instant. Nothing holds still meanwhile: what
 * was counted is good when the roll-ups say the same of the range before and after, and of the hours that it has whole.
 */
export async function overviewUntil(rows: Collections, query: UntilQuery): Promise<Answer> {
  const { siteId, from, to, until } = query
  const site = await rows.sites.findOne({ _id: siteId }, bounded)
  if (!site) return { ...toOverview({ users: 0, types: [], aside: [], days: [] }), lastHour: 0 }
  const zone = site.timeZone
  const stretches = dayStretches(zone, to).flatMap((stretch) =>
    stretch.from < until ? [{ from: stretch.from, until: Math.min(stretch.until, until) }] : [],
  )
  const kept = await keptFrom(rows)
  if (kept > 0 && stretches.some((stretch) => stretch.from < monthStart(kept))) return { missing: 'not_kept' }
  const lastHourStart = hourStart(zone, until - 1)
  const state = async () => {
    const ofDay = await hours(rows, { siteId, from: to, to })
    return {
      range: await rangeFigures(rows, { siteId, from, to }),
      most: sumOf(ofDay.filter(({ start }) => start < until)),
      whole: sumOf(ofDay.filter(({ start }) => start < lastHourStart)),
    }
  }
  const deadline = performance.now() + COUNT_MS
  let before = await state()
  for (let tries = 0; tries < TRIES; tries++) {
    if (before.most > MOST_EVENTS) return { missing: 'too_many' }
    const part = await countPart(rows, { ...query, stretches, lastHourStart, deadline })
    if (!part) return { missing: 'too_many' }
    const after = await state()
    const isSame = textOf(before.range) === textOf(after.range)
    if (isSame && part.events - part.lastHour === before.whole) {
      const days =
        from === to
          ? { users: 0, types: [], aside: [], days: [] }
          : await rangeFigures(rows, { siteId, from, to: addDays(to, -1) })
      return { ...toOverview(withPart(days, to, part)), lastHour: part.lastHour }
    }
    before = after
  }
  return { missing: 'busy' }
}

interface Part extends UntilQuery {
  stretches: Stretch[]
  lastHourStart: number
  deadline: number
}

/** Null when there is not enough time. */
async function countPart(rows: Collections, part: Part): Promise<PartFigures | null> {
  try {
    return await count(rows, part)
  } catch (error) {
    if (error instanceof OutOfTime || isOutOfTime(error)) return null
    throw error
  }
}

async function count(
  rows: Collections,
  { siteId, from, to, until, stretches, lastHourStart, deadline }: Part,
): Promise<PartFigures> {
  const [first, last] = siteBounds(siteId)
  const types = new Map<string, number>()
  const users = new Set<string>()
  const sessions = new Set<string>()
  const orders = new PartOrders<string>()
  let lastHour = 0
  for (const { month, stretch } of await monthsOf(rows, stretches)) {
    const events = rows.events(month)
    const within = ({ from, until }: Stretch) => ({ at: { $gte: from, $lt: until }, user: { $gte: first, $lt: last } })
    const whole = { from: stretch.from, until: Math.min(stretch.until, lastHourStart) }
    const cut = { from: Math.max(stretch.from, lastHourStart), until: Math.min(stretch.until, until) }
    for (const piece of [whole, cut]) {
      if (piece.from >= piece.until) continue
      const group = { $group: { _id: '$type', events: { $sum: 1 } } }
      const found = events.aggregate<{ _id: string; events: number }>(
        [{ $match: within(piece) }, group],
        left(deadline),
      )
      for await (const { _id, events } of found) {
        types.set(_id, (types.get(_id) ?? 0) + events)
        if (piece === cut) lastHour += events
      }
    }
    const visits = { $group: { _id: { user: '$user', session: '$session' } } }
    const visited = events.aggregate<{ _id: { user: string; session: string } }>(
      [{ $match: within(stretch) }, visits],
      { ...left(deadline), allowDiskUse: true },
    )
    for await (const { _id } of visited) {
      users.add(_id.user)
      sessions.add(sessionRowId(_id.user, _id.session))
    }
    const purchases = events.find({ ...within(stretch), type: 'purchase' }, left(deadline))
    for await (const { _id, user, session, seq, payload, claimed } of purchases) {
      const rank = { trust: trustOf(claimed ? { claimed } : {}), seq, eventId: idOfRowId(_id) }
      const reading = readPurchase(payload === null ? null : JSON.parse(payload))
      orders.addPurchase(rank, sessionRowId(user, session), reading)
    }
  }
  for (const ids of stepsOf(orders.orderIds)) {
    const found = await rows.orders
      .find({ _id: { $in: ids.map((id) => plainRowId(siteId, id)) } }, left(deadline))
      .toArray()
    const counting = new Map(found.map((row) => [idOfRowId(row._id), row]))
    for (const id of ids) {
      const row = counting.get(id)
      orders.addOrder(id, row && { ...rankOf(row), currency: row.currency, gross: row.gross })
    }
  }
  const started = await startedIn(rows, sessions, stretches, deadline)
  return {
    events: [...types.values()].reduce((sum, events) => sum + events, 0),
    users: users.size,
    moreUsers: from === to ? users.size : await countNew(rows, users, [dayNumber(from), dayNumber(to) - 1], deadline),
    sessions: started.length,
    orderingSessions: started.filter((session) => orders.sessions.has(session)).length,
    orders: orders.orders,
    money: orders.money,
    aside: orders.aside,
    types: [...types],
    lastHour,
  }
}

/** Users who were not active on any day from..to. */
async function countNew(
  rows: Collections,
  users: Set<string>,
  [from, to]: [number, number],
  deadline: number,
): Promise<number> {
  let active = 0
  for (const ids of stepsOf([...users])) {
    const found = rows.users.find({ _id: { $in: ids } }, { projection: { days: 1 }, ...left(deadline) })
    for await (const { days } of found)
      if (unpackAscending(days.value()).some((day) => from <= day && day <= to)) active += 1
  }
  return users.size - active
}

async function startedIn(
  rows: Collections,
  sessions: Set<string>,
  stretches: Stretch[],
  deadline: number,
): Promise<string[]> {
  const started: string[] = []
  for (const ids of stepsOf([...sessions])) {
    const found = rows.sessions.find({ _id: { $in: ids } }, { projection: { startAt: 1 }, ...left(deadline) })
    for await (const { _id, startAt } of found)
      if (stretches.some((stretch) => stretch.from <= startAt && startAt < stretch.until)) started.push(_id)
  }
  return started
}

async function monthsOf(rows: Collections, stretches: Stretch[]): Promise<{ month: number; stretch: Stretch }[]> {
  const months = (await rows.months.find({}, bounded).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
  return stretches.flatMap((stretch) =>
    months
      .filter((month) => monthOf(stretch.from) <= month && month <= monthOf(stretch.until - 1))
      .map((month) => ({ month, stretch })),
  )
}

function* stepsOf(ids: string[]): Generator<string[]> {
  for (let from = 0; from < ids.length; from += STEP_ROWS) yield ids.slice(from, from + STEP_ROWS)
}

function sumOf(hours: { events: number }[]): number {
  return hours.reduce((sum, { events }) => sum + events, 0)
}

/** Sums of money are too large for JSON's numbers. */
function textOf(figures: object): string {
  return JSON.stringify(figures, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

class OutOfTime extends Error {}

/** What of the time is left, for the database to keep to. */
function left(deadline: number): { maxTimeMS: number } {
  const maxTimeMS = Math.min(READ_TIMEOUT_MS, Math.ceil(deadline - performance.now()))
  if (maxTimeMS <= 0) throw new OutOfTime()
  return { maxTimeMS }
}

const MAX_TIME_EXPIRED = 50

function isOutOfTime(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === MAX_TIME_EXPIRED
}

const bounded = { maxTimeMS: READ_TIMEOUT_MS }
