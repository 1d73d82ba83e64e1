import { eventSeq } from '../store/store.ts'

/** Takes places in the order of arrival for the events of a request; returns the first. */
export type TakePlaces = (receivedAt: number, events: number) => number

/**
 * The order of arrival of this process: strictly ascending, also for requests of one millisecond and while the clock is
 * set back. Across processes the clock decides.
 */
export function createArrivals(): TakePlaces {
  let free = 0
  return (receivedAt, events) => {
    const first = Math.max(free, eventSeq(receivedAt, 0))
    free = first + events
    return first
  }
}
