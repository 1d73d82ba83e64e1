import type { EventPlace } from './event-order.ts'

const MOST_GROSS = 2n ** 63n - 1n

/** Sums of money stop at the largest integer of both engines. */
export function addGross(sum: bigint, more: bigint): bigint {
  if (sum > MOST_GROSS - more) return MOST_GROSS
  return sum + more
}

/** Sums by currency in any order; gross exact, for somebody may post orders that no number holds together. */
export type ExactMoney = [currency: string, orders: number, gross: bigint][]

/** Everything that roll-ups say of one day of a site. Lists come in any order. */
export interface DayFigures {
  events: number
  users: number
  sessions: number
  orderingSessions: number
  orders: number
  types: [type: string, events: number][]
  money: ExactMoney
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

/** The first purchase of an order id, as the store has it. */
export interface OrderFigures extends EventPlace {
  orderId: string
  userId: string
  sessionId: string
  currency: string
  gross: number
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
