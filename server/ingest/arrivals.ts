import { eventSeq, momentAfter } from '../store/store.ts'

/** Takes places in the order of arrival for the events of a request. */
export type TakePlaces = (receivedAt: number, events: number) => Places

export interface Places {
  /** Of the first event; the others follow it. */
  seq: number
  /** The moment that begins behind all places that were taken so far, epoch ms: to be kept for the next start. */
  arrivedAt: number
}

/** Far beyond what is taken of one moment while the clock is wrong. */
const MORE_PLACES = 2 ** 50

/**
 * The order of arrival of this process: strictly ascending, also for requests of one millisecond and while the clock is
 * set back. It begins behind what was taken before `after` (the last arrivedAt), so that a clock that was set back
 * over a restart puts nothing before what came earlier. Across processes the clock decides.
 */
export function createArrivals(after: number | null): TakePlaces {
  // Of a clock that once was a lifetime ahead: there are no places behind it.
  let free = after !== null && Number.isSafeInteger(eventSeq(after, MORE_PLACES)) ? eventSeq(after, 0) : 0
  return (receivedAt, events) => {
    const seq = Math.max(free, eventSeq(receivedAt, 0))
    free = seq + events
    return { seq, arrivedAt: momentAfter(free) }
  }
}
