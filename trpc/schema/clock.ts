/**
 * The clock of a time zone as data, so that server and browser reckon by the same rules instead of by those that each
 * brings along. Instants and offsets are milliseconds.
 */

/** From this instant on the wall clock is so far ahead of UTC. */
export interface Change {
  from: number
  offset: number
}

/** Ascending; the first is from -Infinity on. */
export type Clock = readonly Change[]

const MINUTE_MS = 60_000

/** "60 120|0101|k2yo0 9s0": the offsets, which of them one after the other, minutes from change to change (base 36). */
export function packClock(changes: readonly Change[]): string {
  const offsets: number[] = []
  let places = ''
  const steps: string[] = []
  let last = 0
  for (const [index, { from, offset }] of changes.entries()) {
    if (index > 0 && changes[index - 1]!.offset === offset) continue
    if (!offsets.includes(offset)) offsets.push(offset)
    places += offsets.indexOf(offset).toString(36)
    if (from === Number.NEGATIVE_INFINITY) continue
    steps.push(((from - last) / MINUTE_MS).toString(36))
    last = from
  }
  return `${offsets.map((offset) => offset / MINUTE_MS).join(' ')}|${places}|${steps.join(' ')}`
}

export function unpackClock(text: string): Clock {
  const [offsetTexts = '', places = '', steps = ''] = text.split('|')
  const offsets = offsetTexts.split(' ').map((minutes) => Number(minutes) * MINUTE_MS)
  const lengths = steps === '' ? [] : steps.split(' ').map((step) => Number.parseInt(step, 36) * MINUTE_MS)
  let at = 0
  return [...places].map((place, index) => {
    if (index > 0) at += lengths[index - 1]!
    return { from: index === 0 ? Number.NEGATIVE_INFINITY : at, offset: offsets[Number.parseInt(place, 36)]! }
  })
}

/** The place in the clock of the change that holds at the instant. */
export function placeAt(clock: Clock, instant: number): number {
  let low = 0
  let high = clock.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (clock[middle]!.from <= instant) low = middle
    else high = middle - 1
  }
  return low
}

/** Milliseconds to add to UTC to get the wall clock. */
export function offsetOf(clock: Clock, instant: number): number {
  return clock[placeAt(clock, instant)]!.offset
}
