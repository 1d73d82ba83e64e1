import { Binary } from 'mongodb'
import { compareEvents } from '../../event-order.ts'
import { addGross, type ExactMoney } from '../../figures.ts'
import { fromExact, toExact } from '../money.ts'
import { packAscending, unpackAscending } from '../packed-numbers.ts'
import { packPairs, unpackPairs } from '../pairs.ts'
import type { Counts, MoneySums, OrderRow, RollupName, Rollups } from '../rows.ts'

/**
 * What a row comes to that stood where a fold took it for new: a session whose user's row was lost, say. Worked out from
 * nothing, the new row is what the fold adds, so none of it is lost; what else followed from there being none (a user
 * more in the totals) is for the audit.
 */
export function withStanding<Name extends RollupName>(
  name: Name,
  stood: Rollups[Name],
  added: Rollups[Name],
): Rollups[Name] {
  return sums[name](stood, added)
}

const sums: { [Name in RollupName]: (stood: Rollups[Name], added: Rollups[Name]) => Rollups[Name] } = {
  users: (a, b) => ({
    ...{ ...a, ...b, money: addMoney(a.money, b.money) },
    ...{ events: a.events + b.events, sessions: a.sessions + b.sessions, orders: a.orders + b.orders },
    ...{ firstAt: Math.min(a.firstAt, b.firstAt), lastAt: Math.max(a.lastAt, b.lastAt) },
    days: new Binary(packAscending(union(unpackAscending(a.days.value()), unpackAscending(b.days.value())))),
  }),
  sessions: (a, b) => ({
    ...{ ...a, ...b, money: addMoney(a.money, b.money) },
    ...{ events: a.events + b.events, orders: a.orders + b.orders },
    ...{ startAt: Math.min(a.startAt, b.startAt), endAt: Math.max(a.endAt, b.endAt) },
  }),
  orders: (a, b) => (compareEvents(placeOf(a), placeOf(b)) < 0 ? { ...a, fold: b.fold } : b),
  days: (a, b) => {
    const pairs = unpackPairs(a.pairs.value())
    for (const [day, users] of unpackPairs(b.pairs.value())) pairs.set(day, (pairs.get(day) ?? 0) + users)
    return {
      ...{ ...a, ...b, money: addMoney(a.money, b.money) },
      ...{ events: a.events + b.events, users: a.users + b.users, sessions: a.sessions + b.sessions },
      ...{ orderingSessions: a.orderingSessions + b.orderingSessions, orders: a.orders + b.orders },
      ...{ types: addCounts(a.types, b.types), hours: addCounts(a.hours, b.hours) },
      pairs: new Binary(packPairs(pairs)),
    }
  },
  totals: (a, b) => ({
    ...{ ...a, ...b, events: a.events + b.events, users: a.users + b.users, sessions: a.sessions + b.sessions },
    ...{ firstAt: Math.min(a.firstAt, b.firstAt), lastAt: Math.max(a.lastAt, b.lastAt) },
    lastReceivedAt: Math.max(a.lastReceivedAt, b.lastReceivedAt),
  }),
}

function placeOf({ at, seq, event }: OrderRow) {
  return { occurredAt: at, seq, eventId: event }
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((left, right) => left - right)
}

function addMoney(a: MoneySums, b: MoneySums): MoneySums {
  const sums = new Map<string, ExactMoney[number]>()
  for (const [currency, orders, gross] of [...toExact(a), ...toExact(b)]) {
    const [, had, sum] = sums.get(currency) ?? [currency, 0, 0n]
    sums.set(currency, [currency, had + orders, addGross(sum, gross)])
  }
  return fromExact([...sums.values()])
}

function addCounts<Key>(a: Counts<Key>, b: Counts<Key>): Counts<Key> {
  const counts = new Map<Key, number>()
  for (const [key, events] of [...a, ...b]) counts.set(key, (counts.get(key) ?? 0) + events)
  return [...counts]
}
