import { addDays, dayNumber, dayOf, eachDay } from '../analysis/zones.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** The last moment of that time of day (UTC) that is not after `now`. */
export function lastDueAt(now: number, dueUtcMinutes: number): number {
  const today = Math.floor(now / DAY_MS) * DAY_MS + dueUtcMinutes * MINUTE_MS
  return today <= now ? today : today - DAY_MS
}

/** The last day of the zone that had ended when the last moment of that time of day (UTC) came. */
export function lastClosedDay(timeZone: string, now: number, dueUtcMinutes: number): string {
  return addDays(dayOf(timeZone, lastDueAt(now, dueUtcMinutes)), -1)
}

/**
 * The days to be done up to the last closed one, and how many before them are given up. Counted in days and not in
 * moments: where the clocks change near the moment, one moment may close two days and another none.
 */
export function daysDue(doneThrough: string, closed: string, catchUpDays: number): { days: string[]; givenUp: number } {
  const missed = Math.max(0, dayNumber(closed) - dayNumber(doneThrough))
  const givenUp = Math.max(0, missed - catchUpDays)
  return { days: eachDay(addDays(doneThrough, givenUp + 1), closed), givenUp }
}
