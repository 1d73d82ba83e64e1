import { Binary } from 'mongodb'
import type { DayFigures } from '../figures.ts'
import { asideSums, fromExact, toExact, toExactAside } from './money.ts'
import { packPairs, unpackPairs } from './pairs.ts'
import type { DayRow } from './rows.ts'

/** What a row says of its day; null for a day without one. */
export function dayFiguresOf(row: DayRow | null): DayFigures {
  const none = { events: 0, users: 0, sessions: 0, orderingSessions: 0, orders: 0 }
  if (!row) return { ...none, types: [], money: [], aside: [], hours: [], pairs: [] }
  const { events, users, sessions, orderingSessions, orders, types, hours } = row
  return {
    ...{ events, users, sessions, orderingSessions, orders, types, hours },
    money: toExact(row.money),
    aside: toExactAside(row.aside),
    pairs: [...unpackPairs(row.pairs.value())],
  }
}

export function dayRowOf(_id: string, fold: number, figures: DayFigures): DayRow {
  const { events, users, sessions, orderingSessions, orders, types, hours } = figures
  return {
    ...{ _id, fold, events, users, sessions, orderingSessions, orders, types, hours },
    money: fromExact(figures.money),
    ...(figures.aside.length > 0 && { aside: asideSums(figures.aside) }),
    pairs: new Binary(packPairs(new Map(figures.pairs))),
  }
}
