import type { AsideReason, Trust } from '../../trpc/schema/common.ts'
import type { EventPlace } from './event-order.ts'
import type { Repetitions } from './orders.ts'

/** What is verified and what is claimed stop each at half of the largest integer of both engines, so that neither takes anything from the other. */
export const MOST_GROSS = 2n ** 62n - 1n

function addGross(sum: bigint, more: bigint): bigint {
  const total = sum + more
  return total > MOST_GROSS ? MOST_GROSS : total
}

/**
 * Sums by currency in any order; gross exact, for somebody may post orders that no number holds together. The last two
 * are the part of it that browsers claim.
 */
export type ExactMoney = [
  currency: string,
  orders: number,
  gross: bigint,
  claimedOrders: number,
  claimedGross: bigint,
][]

export interface OrderValue {
  currency: string
  gross: number
  trust: Trust
}

/** What an order adds to a sum, or takes from it. */
export function orderMoney({ currency, gross, trust }: OrderValue, sign: 1 | -1 = 1): ExactMoney {
  const value = BigInt(sign * gross)
  return [trust === 'claimed' ? [currency, sign, value, sign, value] : [currency, sign, value, 0, 0n]]
}

/** Currencies without orders go. */
export function addMoney(sums: ExactMoney, more: ExactMoney): ExactMoney {
  const all = new Map(sums.map((sum) => [sum[0], sum]))
  for (const sum of more) {
    const [currency, orders, gross, claimedOrders, claimedGross] = sum
    const [, orders0, gross0, claimedOrders0, claimedGross0] = all.get(currency) ?? [currency, 0, 0n, 0, 0n]
    if (orders0 + orders === 0 && gross0 + gross === 0n) all.delete(currency)
    else {
      const claimedNow = addGross(claimedGross0, claimedGross)
      const now = addGross(gross0 - claimedGross0, gross - claimedGross) + claimedNow
      all.set(currency, [currency, orders0 + orders, now, claimedOrders0 + claimedOrders, claimedNow])
    }
  }
  return [...all.values()]
}

/** Purchases that do not count as orders, by why and by the currency that they state ('' for none). */
export type ExactAside = [reason: AsideReason, currency: string, purchases: number, gross: bigint][]

export function addAside(sums: ExactAside, more: ExactAside): ExactAside {
  const all = new Map(sums.map((sum) => [`${sum[0]} ${sum[1]}`, sum]))
  for (const sum of more) {
    const [reason, currency, purchases, gross] = sum
    const key = `${reason} ${currency}`
    const before = all.get(key)
    const total: ExactAside[number] = before
      ? [reason, currency, before[2] + purchases, addGross(before[3], gross)]
      : sum
    if (total[2] === 0 && total[3] === 0n) all.delete(key)
    else all.set(key, total)
  }
  return [...all.values()]
}

/** Everything that roll-ups say of one day of a site. Lists come in any order. */
export interface DayFigures {
  events: number
  users: number
  sessions: number
  orderingSessions: number
  orders: number
  types: [type: string, events: number][]
  money: ExactMoney
  aside: ExactAside
  /** Of a count: an order of the day has more repetitions than are compared, so what is set aside may rightly be something else. */
  isAsideOpen?: boolean
  hours: [start: number, events: number][]
  /** Users by the day on which they were active before (docs/decisions/003). */
  pairs: [previousDay: number, users: number][]
}

/** What roll-ups say of one user. */
export interface UserFigures {
  userId: string
  firstAt: number
  lastAt: number
  events: number
  sessions: number
  orders: number
  money: ExactMoney
  /** Numbers of the active days, ascending. */
  days: number[]
}

/** What roll-ups say of one session of a user. */
export interface SessionFigures {
  sessionId: string
  startAt: number
  endAt: number
  events: number
  orders: number
  money: ExactMoney
}

/** The purchase that an order counts by, as the store has it, and the others of the order. */
export interface OrderFigures extends EventPlace {
  orderId: string
  trust: Trust
  userId: string
  sessionId: string
  currency: string
  gross: number
  others: Repetitions
}

/** What roll-ups say of a site as a whole. */
export interface TotalFigures {
  events: number
  users: number
  sessions: number
  firstAt: number
  lastAt: number
  lastReceivedAt: number
}
