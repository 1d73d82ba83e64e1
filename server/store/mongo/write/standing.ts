import { Binary } from 'mongodb'
import { addMoney } from '../../figures.ts'
import { compareRanks } from '../../orders.ts'
import { fromExact, toExact, toExactAside, withAside } from '../money.ts'
import { rankOf } from '../order-rank.ts'
import { packAscending, unpackAscending } from '../packed-numbers.ts'
import { packPairs, unpackPairs } from '../pairs.ts'
import type { Counts, MoneySums, RollupName, Rollups } from '../rows.ts'

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
    ...{ ...a, ...b, money: joinMoney(a.money, b.money) },
    ...{ events: a.events + b.events, sessions: a.sessions + b.sessions, orders: a.orders + b.orders },
    ...{ firstAt: Math.min(a.firstAt, b.firstAt), lastAt: Math.max(a.lastAt, b.lastAt) },
    days: new Binary(packAscending(union(unpackAscending(a.days.value()), unpackAscending(b.days.value())))),
  }),
  sessions: (a, b) => ({
    ...{ ...a, ...b, money: joinMoney(a.money, b.money) },
    ...{ events: a.events + b.events, orders: a.orders + b.orders },
    ...{ startAt: Math.min(a.startAt, b.startAt), endAt: Math.max(a.endAt, b.endAt) },
  }),
  orders: (a, b) => (compareRanks(rankOf(a), rankOf(b)) < 0 ? { ...a, fold: b.fold } : b),
  days: (a, b) => {
    const pairs = unpackPairs(a.pairs.value())
    for (const [day, users] of unpackPairs(b.pairs.value())) pairs.set(day, (pairs.get(day) ?? 0) + users)
    const aside = withAside(a.aside, toExactAside(b.aside))
    return {
      ...{ ...a, ...b, money: joinMoney(a.money, b.money) },
      ...{ events: a.events + b.events, users: a.users + b.users, sessions: a.sessions + b.sessions },
      ...{ orderingSessions: a.orderingSessions + b.orderingSessions, orders: a.orders + b.orders },
      ...{ types: addCounts(a.types, b.types), hours: addCounts(a.hours, b.hours) },
      ...(aside && aside.length > 0 && { aside }),
      pairs: new Binary(packPairs(pairs)),
    }
  },
  totals: (a, b) => ({
    ...{ ...a, ...b, events: a.events + b.events, users: a.users + b.users, sessions: a.sessions + b.sessions },
    ...{ firstAt: Math.min(a.firstAt, b.firstAt), lastAt: Math.max(a.lastAt, b.lastAt) },
    lastReceivedAt: Math.max(a.lastReceivedAt, b.lastReceivedAt),
  }),
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((left, right) => left - right)
}

function joinMoney(a: MoneySums, b: MoneySums): MoneySums {
  return fromExact(addMoney(toExact(a), toExact(b)))
}

function addCounts<Key>(a: Counts<Key>, b: Counts<Key>): Counts<Key> {
  const counts = new Map<Key, number>()
  for (const [key, events] of [...a, ...b]) counts.set(key, (counts.get(key) ?? 0) + events)
  return [...counts]
}
