import { Binary } from 'mongodb'
import type { ExactAside, OrderValue } from '../../figures.ts'
import { GatheredAside, GatheredMoney } from '../../gathered.ts'
import { withAside, withMoney } from '../money.ts'
import { packPairs, unpackPairs } from '../pairs.ts'
import type { Counts, DayRow } from '../rows.ts'
import type { DaySum } from './summary.ts'

/** What a fold adds to one day of a site; less than none where a session or an order moved away. */
export class DayChange {
  users = 0
  sessions = 0
  orderingSessions = 0
  readonly #money = new GatheredMoney()
  readonly #pairs: [previous: number, users: 1 | -1][] = []
  readonly #aside = new GatheredAside()
  #sum: DaySum | undefined

  addEvents(sum: DaySum): void {
    this.#sum = sum
    for (const [reason, currency, purchases, gross] of sum.aside.values())
      this.addAside([reason, currency, purchases, BigInt(gross)])
  }

  addAside(more: ExactAside[number]): void {
    this.#aside.add(more)
  }

  addOrder(order: OrderValue, sign: 1 | -1): void {
    this.#money.add(order, sign)
  }

  addPair(previous: number, users: 1 | -1): void {
    this.#pairs.push([previous, users])
  }

  addSession(orders: number, sign: 1 | -1): void {
    this.sessions += sign
    if (orders > 0) this.orderingSessions += sign
  }

  applyTo(stored: DayRow | undefined, _id: string, fold: number): DayRow {
    const day = stored ?? emptyDay(_id)
    const sum = this.#sum
    const money = withMoney(day.money, this.#money.sums())
    const aside = withAside(day.aside, this.#aside.sums())
    const pairs = unpackPairs(day.pairs.value())
    for (const [previous, users] of this.#pairs) pairs.set(previous, (pairs.get(previous) ?? 0) + users)
    return {
      _id,
      fold,
      events: day.events + (sum?.events ?? 0),
      users: day.users + this.users,
      sessions: day.sessions + this.sessions,
      orderingSessions: day.orderingSessions + this.orderingSessions,
      orders: money.reduce((orders, [, ofCurrency]) => orders + ofCurrency, 0),
      types: added(day.types, sum?.types),
      money,
      ...(aside && aside.length > 0 && { aside }),
      hours: added(day.hours, sum?.hours),
      pairs: this.#pairs.length === 0 ? day.pairs : new Binary(packPairs(pairs)),
    }
  }
}

function emptyDay(_id: string): DayRow {
  const none = { events: 0, users: 0, sessions: 0, orderingSessions: 0, orders: 0 }
  return { _id, fold: 0, ...none, types: [], money: [], hours: [], pairs: new Binary(packPairs(new Map())) }
}

function added<Key>(counts: Counts<Key>, more: Map<Key, number> | undefined): Counts<Key> {
  if (!more) return counts
  const sums = new Map(counts)
  for (const [key, events] of more) sums.set(key, (sums.get(key) ?? 0) + events)
  return [...sums]
}
