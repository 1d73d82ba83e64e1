import { dayName, dayNumber, dayOf } from '../../../analysis/zones.ts'
import { type RangeFigures, toOverview } from '../../range-figures.ts'
import type { OverviewRow, TotalsRow } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { toExact, toExactAside } from '../money.ts'
import { unpackPairs } from '../pairs.ts'
import { dayOfRowId, dayRowId } from '../row-id.ts'
import type { DayRow } from '../rows.ts'

export interface RangeQuery {
  siteId: string
  from: string
  to: string
}

/** Only the range's days are read, each one document: the cost grows with the days of the range. */
export async function overview(rows: Collections, query: RangeQuery): Promise<OverviewRow> {
  return toOverview(await rangeFigures(rows, query))
}

/** What the roll-ups say of the days from..to. */
export async function rangeFigures(rows: Collections, query: RangeQuery): Promise<RangeFigures> {
  const days = await findDays(rows, query, { hours: 0 })
  return {
    users: usersOf(days, dayNumber(query.from)),
    types: typesOf(days),
    aside: days.flatMap((day) => toExactAside(day.aside)),
    days: days.map(({ _id, events, users, sessions, orderingSessions, orders, money }) => ({
      ...{ day: dayName(dayOfRowId(_id)), events, users, sessions, orderingSessions, orders, money: toExact(money) },
    })),
  }
}

export async function hours(rows: Collections, query: RangeQuery): Promise<{ start: number; events: number }[]> {
  const days = await findDays(rows, query, { hours: 1 })
  return days
    .flatMap((day) => day.hours.map(([start, events]) => ({ start, events })))
    .sort((a, b) => a.start - b.start)
}

/** One document: it is of one state. */
export async function totals({ totals, sites }: Collections, siteId: string): Promise<TotalsRow> {
  const [row, site] = await Promise.all([
    totals.findOne({ _id: siteId }, bounded),
    sites.findOne({ _id: siteId }, bounded),
  ])
  const day = (instant: number | undefined) => (site && instant !== undefined ? dayOf(site.timeZone, instant) : null)
  return {
    events: row?.events ?? 0,
    users: row?.users ?? 0,
    sessions: row?.sessions ?? 0,
    firstDay: day(row?.firstAt),
    lastDay: day(row?.lastAt),
    lastOccurredAt: row?.lastAt ?? null,
    lastReceivedAt: row?.lastReceivedAt ?? null,
  }
}

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/** Ascending; only days that have any of it. */
function findDays(
  { days }: Collections,
  { siteId, from, to }: RangeQuery,
  projection: { hours: 0 | 1 },
): Promise<DayRow[]> {
  const bounds = { $gte: dayRowId(siteId, dayNumber(from)), $lte: dayRowId(siteId, dayNumber(to)) }
  return days
    .find({ _id: bounds }, { projection, ...bounded })
    .sort({ _id: 1 })
    .toArray()
}

/** Each user has one day in the range whose previous active day lies before it: the first (docs/decisions/003). */
function usersOf(days: DayRow[], from: number): number {
  let users = 0
  for (const day of days)
    for (const [previous, ofPair] of unpackPairs(day.pairs.value())) if (previous < from) users += ofPair
  return users
}

function typesOf(days: DayRow[]): { type: string; events: number }[] {
  const types = new Map<string, number>()
  for (const day of days) for (const [type, events] of day.types) types.set(type, (types.get(type) ?? 0) + events)
  return [...types]
    .map(([type, events]) => ({ type, events }))
    .sort((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1))
}
