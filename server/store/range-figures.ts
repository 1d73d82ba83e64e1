import { addAside, addMoney, type ExactAside, type ExactMoney } from './figures.ts'
import { toAside, toMoney } from './money.ts'
import type { OverviewRow } from './store.ts'

/** What roll-ups say of some days, before it is shown. */
export interface RangeFigures {
  /** Of all days together. */
  users: number
  types: { type: string; events: number }[]
  aside: ExactAside
  /** Ascending; only days that have any of it. */
  days: RangeDay[]
}

export interface RangeDay extends Omit<OverviewRow['days'][number], 'money'> {
  money: ExactMoney
}

/** What a day has up to an instant of it, counted from its events. */
export interface PartFigures extends Omit<RangeDay, 'day'> {
  /** Those of its users who were not active on the days before it that are asked for. */
  moreUsers: number
  types: [type: string, events: number][]
  aside: ExactAside
  /** Events of the hour that the instant cuts. */
  lastHour: number
}

export function toOverview({ users, types, aside, days }: RangeFigures): OverviewRow {
  const sum = (of: 'events' | 'sessions' | 'orderingSessions' | 'orders') =>
    days.reduce((total, day) => total + day[of], 0)
  return {
    users,
    events: sum('events'),
    sessions: sum('sessions'),
    orderingSessions: sum('orderingSessions'),
    orders: sum('orders'),
    money: toMoney(
      addMoney(
        [],
        days.flatMap(({ money }) => money),
      ),
    ),
    aside: toAside(addAside([], aside)),
    types,
    days: days.map(({ money, ...day }) => ({ ...day, money: toMoney(money) })),
  }
}

/** Days with a part of the day that follows. */
export function withPart(before: RangeFigures, day: string, part: PartFigures): RangeFigures {
  const { moreUsers, types, aside, lastHour: _, ...figures } = part
  const events = new Map(before.types.map(({ type, events }) => [type, events]))
  for (const [type, more] of types) events.set(type, (events.get(type) ?? 0) + more)
  return {
    users: before.users + moreUsers,
    types: [...events].map(([type, events]) => ({ type, events })),
    aside: [...before.aside, ...aside],
    days: part.events === 0 ? before.days : [...before.days, { day, ...figures }],
  }
}
