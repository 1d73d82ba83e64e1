import type { Buffer } from 'node:buffer'
import { packNumbers, unpackNumbers } from './packed-numbers.ts'

/** The previous day of a user's first day (docs/decisions/003). */
export const NO_DAY = -2

/** Users of a day by their previous active day. */
export type Pairs = Map<number, number>

/** Ascending by day, so that each is a small step from the one before: day, users, step, users, step, users … */
export function packPairs(pairs: Pairs): Buffer {
  let last = 0
  const numbers: number[] = []
  for (const [day, users] of [...pairs].sort(([a], [b]) => a - b)) {
    if (users === 0) continue
    numbers.push(day - last, users)
    last = day
  }
  return packNumbers(numbers)
}

export function unpackPairs(bytes: Uint8Array): Pairs {
  const numbers = unpackNumbers(bytes)
  const pairs: Pairs = new Map()
  let day = 0
  for (let index = 0; index < numbers.length; index += 2) {
    day += numbers[index]!
    pairs.set(day, numbers[index + 1]!)
  }
  return pairs
}
