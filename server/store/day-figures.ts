import { dayName, dayNumberOf, hourStart } from '../analysis/zones.ts'
import type { DayFigures, ExactMoney } from './figures.ts'
import { GatheredAside, GatheredMoney } from './gathered.ts'
import {
  type AsideChange,
  compareRanks,
  joinOrders,
  MOST_KEPT,
  type Ordering,
  type OrderRank,
  type OrderSum,
  settleOrder,
} from './orders.ts'
import type { Aside, Purchase } from './purchase.ts'

export interface DayDifference {
  /** Such as "events" or "gross in EUR". */
  figure: string
  /** What the roll-ups say. */
  stored: number
  /** What the events come to. */
  counted: number
}

export function differencesOf(stored: DayFigures, counted: DayFigures): DayDifference[] {
  const [before, after] = [flat(stored), flat(counted.isAsideOpen ? { ...counted, aside: stored.aside } : counted)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((figure) => ({ figure, stored: before.get(figure) ?? 0, counted: after.get(figure) ?? 0 }))
    .filter(({ stored, counted }) => BigInt(stored) !== BigInt(counted))
    .map(({ figure, stored, counted }) => ({ figure, stored: Number(stored), counted: Number(counted) }))
}

/** Each number by its name. */
function flat({
  types,
  money,
  aside,
  hours,
  pairs,
  isAsideOpen: _,
  ...sums
}: DayFigures): Map<string, number | bigint> {
  return new Map<string, number | bigint>([
    ...Object.entries(sums),
    ...types.map(([type, events]): [string, number] => [`events of type ${type}`, events]),
    ...moneyByName(money),
    ...aside.flatMap(([reason, currency, purchases, gross]): [string, number | bigint][] => [
      [`set aside for ${reason}${currency && ` in ${currency}`}`, purchases],
      [`gross set aside for ${reason}${currency && ` in ${currency}`}`, gross],
    ]),
    ...hours.map(([start, events]): [string, number] => [`events from ${new Date(start).toISOString()}`, events]),
    ...pairs.map(([day, users]): [string, number] => [
      `users ${day < -1 ? 'for the first time' : `after ${dayName(day)}`}`,
      users,
    ]),
  ])
}

export function moneyByName(money: ExactMoney): [name: string, value: number | bigint][] {
  return money.flatMap(([currency, orders, gross, claimedOrders, claimedGross]): [string, number | bigint][] => [
    [`orders in ${currency}`, orders],
    [`gross in ${currency}`, gross],
    [`claimed orders in ${currency}`, claimedOrders],
    [`claimed gross in ${currency}`, claimedGross],
  ])
}

/** What an order counts by, as the store has it. */
export interface CountingOrder extends OrderRank {
  currency: string
  gross: number
  occurredAt: number
  /** Kinds of repetitions that the store keeps with the order. */
  repetitions: number
}

/** Counts one day by the definitions of docs/numbers.md, from its events and from what came before them. */
export class DayCount {
  readonly #zone: string
  readonly #dayNo: number
  readonly #types = new Map<string, number>()
  readonly #hours = new Map<number, number>()
  readonly #pairs = new Map<number, number>()
  readonly #purchases = new Map<string, OrderSum>()
  readonly #money = new GatheredMoney()
  readonly #aside = new GatheredAside()
  #isAsideOpen = false
  #events = 0
  #users = 0
  #sessions = 0
  #orderingSessions = 0

  constructor(zone: string, dayNo: number) {
    this.#zone = zone
    this.#dayNo = dayNo
  }

  /** An event of the day. */
  addEvent(type: string, occurredAt: number): void {
    this.#events += 1
    add(this.#types, type)
    add(this.#hours, hourStart(this.#zone, occurredAt))
  }

  /** A purchase of the day, as it was read. */
  addPurchase(rank: OrderRank, reading: { purchase: Purchase } | { aside: Aside }): void {
    if ('aside' in reading) {
      const { reason, currency, gross } = reading.aside
      this.#aside.add([reason, currency, 1, BigInt(gross)])
      return
    }
    const { orderId, currency, gross } = reading.purchase
    const { trust, seq, eventId } = rank
    const first: Ordering = { trust, seq, eventId, dayNo: this.#dayNo, currency, gross }
    this.#purchases.set(orderId, joinOrders(this.#purchases.get(orderId), { first, others: [] }))
  }

  /** Order ids that purchases of the day name. */
  get orderIds(): string[] {
    return [...this.#purchases.keys()]
  }

  /** Counts the order unless the purchase that it counts by, as the store has it, is of another day. */
  addOrder(orderId: string, counting: CountingOrder | undefined): void {
    const own = this.#purchases.get(orderId)
    if (!own) return
    if (counting && counting.repetitions >= MOST_KEPT) this.#isAsideOpen = true
    const dayNo = counting && dayNumberOf(this.#zone, counting.occurredAt)
    if (counting && dayNo !== undefined && dayNo !== this.#dayNo && compareRanks(counting, own.first) < 0) {
      this.#addAside(settleOrder({ first: { ...counting, dayNo }, others: [] }, own).aside)
      return
    }
    this.#money.add(own.first, 1)
    this.#addAside(settleOrder(undefined, own).aside)
  }

  #addAside(changes: AsideChange[]): void {
    for (const { dayNo, reason, currency, purchases, gross } of changes)
      if (dayNo === this.#dayNo) this.#aside.add([reason, currency, purchases, gross])
  }

  /** A user with an event on the day. */
  addUser(previousDay: number): void {
    this.#users += 1
    add(this.#pairs, previousDay)
  }

  /** A session that starts on the day. */
  addSession(hasOrders: boolean): void {
    this.#sessions += 1
    if (hasOrders) this.#orderingSessions += 1
  }

  figures(): DayFigures {
    return {
      events: this.#events,
      users: this.#users,
      sessions: this.#sessions,
      orderingSessions: this.#orderingSessions,
      orders: this.#money.orders,
      types: [...this.#types],
      money: this.#money.sums(),
      aside: this.#aside.sums(),
      ...(this.#isAsideOpen && { isAsideOpen: true }),
      hours: [...this.#hours],
      pairs: [...this.#pairs],
    }
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
