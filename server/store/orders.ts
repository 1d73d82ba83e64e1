import type { AsideReason, Trust } from '../../trpc/schema/common.ts'
import { compareText } from './event-order.ts'

/** What decides which purchase of an order counts. */
export interface OrderRank {
  trust: Trust
  seq: number
  eventId: string
}

/** Below 0 when `a` counts and `b` repeats it: the first received of the highest trust, whatever time it states. */
export function compareRanks(a: OrderRank, b: OrderRank): number {
  return (
    Number(a.trust === 'claimed') - Number(b.trust === 'claimed') || a.seq - b.seq || compareText(a.eventId, b.eventId)
  )
}

/** A purchase that an order is counted by, or could be. */
export interface Ordering extends OrderRank {
  /** Of the site's calendar. */
  dayNo: number
  currency: string
  gross: number
}

/** Other purchases of an order, those of one day that say the same together. */
export type Repetitions = [currency: string, gross: number, dayNo: number, purchases: number][]

/** The purchase that counts among some of an order, and the others. */
export interface OrderSum<Counting extends Ordering = Ordering> {
  first: Counting
  others: Repetitions
}

/** Purchases that are set aside, or fewer of them, on a day. */
export interface AsideChange {
  dayNo: number
  reason: AsideReason
  currency: string
  purchases: number
  gross: bigint
}

/** Kept with an order. What says still other things is counted when it comes, and is not compared again. */
export const MOST_KEPT = 32

/** Of the repetitions that are being joined, by what they say. */
const places = new WeakMap<Repetitions, Map<string, Repetitions[number]>>()

/**
 * Both together, before it is known what the store has of the order. `a` is used up: its repetitions go on in the answer,
 * so that thousands of purchases of one order take no longer than those of thousands.
 */
export function joinOrders<Counting extends Ordering>(
  a: OrderSum<Counting> | undefined,
  b: OrderSum<Counting>,
): OrderSum<Counting> {
  if (!a) return { first: b.first, others: b.others.map((repetition) => [...repetition]) }
  const [first, later] = compareRanks(a.first, b.first) <= 0 ? [a.first, b.first] : [b.first, a.first]
  const { others } = a
  for (const repetition of b.others) addRepetition(others, repetition)
  addRepetition(others, repetitionOf(later))
  return { first, others }
}

/** The order with more purchases, and what that changes of what is set aside. */
export function settleOrder<Counting extends Ordering>(
  before: OrderSum<Counting> | undefined,
  more: OrderSum<Counting>,
): { after: OrderSum<Counting>; aside: AsideChange[] } {
  if (!before)
    return { after: { first: more.first, others: kept(more.others) }, aside: asideOf(more.others, more.first, 1) }
  const stays = compareRanks(before.first, more.first) <= 0
  const first = stays ? before.first : more.first
  const added = [...more.others, repetitionOf(stays ? more.first : before.first)]
  const aside = asideOf(added, first, 1)
  if (!stays) aside.push(...asideOf(before.others, before.first, -1), ...asideOf(before.others, first, 1))
  return { after: { first, others: kept(joined([...before.others, ...added])) }, aside }
}

/** Why a repetition is set aside; null for one that says the same. */
export function repetitionReason(
  repetition: { currency: string; gross: number },
  counting: { currency: string; gross: number },
): AsideReason | null {
  if (repetition.currency !== counting.currency) return 'other_currency'
  return repetition.gross === counting.gross ? null : 'other_amount'
}

function asideOf(repetitions: Repetitions, counting: Ordering, sign: 1 | -1): AsideChange[] {
  return repetitions.flatMap(([currency, gross, dayNo, purchases]) => {
    const reason = repetitionReason({ currency, gross }, counting)
    if (reason === null) return []
    return [{ dayNo, reason, currency, purchases: sign * purchases, gross: BigInt(sign * purchases) * BigInt(gross) }]
  })
}

function repetitionOf({ currency, gross, dayNo }: Ordering): Repetitions[number] {
  return [currency, gross, dayNo, 1]
}

function joined(repetitions: Repetitions): Repetitions {
  const sums: Repetitions = []
  for (const repetition of repetitions) addRepetition(sums, repetition)
  return sums
}

function addRepetition(others: Repetitions, [currency, gross, dayNo, purchases]: Repetitions[number]): void {
  let known = places.get(others)
  if (!known) {
    known = new Map(others.map((each) => [keyOf(each), each]))
    places.set(others, known)
  }
  const more: Repetitions[number] = [currency, gross, dayNo, purchases]
  const key = keyOf(more)
  const sum = known.get(key)
  if (sum) {
    sum[3] += purchases
    return
  }
  known.set(key, more)
  others.push(more)
}

function keyOf([currency, gross, dayNo]: Repetitions[number]): string {
  return `${currency} ${gross} ${dayNo}`
}

function kept(repetitions: Repetitions): Repetitions {
  return repetitions.length > MOST_KEPT ? repetitions.slice(0, MOST_KEPT) : repetitions
}
