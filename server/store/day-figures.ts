import { dayName, dayNumberOf, hourStart } from '../analysis/zones.ts'
import { compareEvents, type EventPlace } from './event-order.ts'
import { addGross, type DayFigures } from './figures.ts'
import type { Purchase } from './purchase.ts'

export interface DayDifference {
  /** Such as "events" or "gross in EUR". */
  figure: string
  /** What the roll-ups say. */
  stored: number
  /** What the events come to. */
  counted: number
}

export function differencesOf(stored: DayFigures, counted: DayFigures): DayDifference[] {
  const [before, after] = [flat(stored), flat(counted)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((figure) => ({ figure, stored: before.get(figure) ?? 0, counted: after.get(figure) ?? 0 }))
    .filter(({ stored, counted }) => BigInt(stored) !== BigInt(counted))
    .map(({ figure, stored, counted }) => ({ figure, stored: Number(stored), counted: Number(counted) }))
}

/** Each number by its name. */
function flat({ types, money, hours, pairs, ...sums }: DayFigures): Map<string, number | bigint> {
  return new Map<string, number | bigint>([
    ...Object.entries(sums),
    ...types.map(([type, events]): [string, number] => [`events of type ${type}`, events]),
    ...money.flatMap(([currency, orders, gross]): [string, number | bigint][] => [
      [`orders in ${currency}`, orders],
      [`gross in ${currency}`, gross],
    ]),
    ...hours.map(([start, events]): [string, number] => [`events from ${new Date(start).toISOString()}`, events]),
    ...pairs.map(([day, users]): [string, number] => [
      `users ${day < -1 ? 'for the first time' : `after ${dayName(day)}`}`,
      users,
    ]),
  ])
}

/** A purchase of the day with what it says of its order. */
export interface DayPurchase extends EventPlace {
  purchase: Purchase
}

/** Counts one day by the definitions of docs/numbers.md, from its events and from what came before them. */
export class DayCount {
  readonly #zone: string
  readonly #dayNo: number
  readonly #types = new Map<string, number>()
  readonly #hours = new Map<number, number>()
  readonly #pairs = new Map<number, number>()
  readonly #money = new Map<string, [orders: number, gross: bigint]>()
  readonly #purchases = new Map<string, DayPurchase>()
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

  /** Of the purchases of one order only the first can count. */
  addPurchase(purchase: DayPurchase): void {
    const { orderId } = purchase.purchase
    const other = this.#purchases.get(orderId)
    if (!other || compareEvents(purchase, other) < 0) this.#purchases.set(orderId, purchase)
  }

  /** Order ids that purchases of the day name. */
  get orderIds(): string[] {
    return [...this.#purchases.keys()]
  }

  /** Counts the order unless its first purchase, as the store has it, is of an earlier day. */
  addOrder(orderId: string, first: EventPlace | undefined): void {
    const own = this.#purchases.get(orderId)
    if (!own) return
    if (first && compareEvents(first, own) < 0 && dayNumberOf(this.#zone, first.occurredAt) !== this.#dayNo) return
    const { currency, gross } = own.purchase
    const [orders, sum] = this.#money.get(currency) ?? [0, 0n]
    this.#money.set(currency, [orders + 1, addGross(sum, BigInt(gross))])
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
    const money = [...this.#money].map(([currency, [orders, gross]]): [string, number, bigint] => [
      currency,
      orders,
      gross,
    ])
    return {
      events: this.#events,
      users: this.#users,
      sessions: this.#sessions,
      orderingSessions: this.#orderingSessions,
      orders: money.reduce((sum, [, orders]) => sum + orders, 0),
      types: [...this.#types],
      money,
      hours: [...this.#hours],
      pairs: [...this.#pairs],
    }
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
