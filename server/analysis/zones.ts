import { Temporal } from 'temporal-polyfill'

/**
 * Calendar days, hours and weeks of a time zone. A day is "YYYY-MM-DD"; instants are epoch milliseconds. Days may
 * last 23 or 25 hours, and offsets may be of :30 or :45.
 */

const QUARTER_MS = 900_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Offsets are asked for every event; Temporal answers in 10 µs, the map in 0.05. Bounded, since times come from clients. */
const MAX_CACHED = 50_000
const offsets = new Map<string, Map<number, number>>()

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/**
 * Milliseconds to add to UTC to get the zone's wall clock. Clock changes are taken to the quarter hour, on which all
 * are since 2012 but for three of Antarctica/Casey.
 */
export function offsetAt(zone: string, instant: number): number {
  let ofZone = offsets.get(zone)
  if (!ofZone) {
    ofZone = new Map()
    offsets.set(zone, ofZone)
  }
  const quarter = Math.floor(instant / QUARTER_MS)
  let offset = ofZone.get(quarter)
  if (offset === undefined) {
    const zoned = Temporal.Instant.fromEpochMilliseconds(quarter * QUARTER_MS).toZonedDateTimeISO(zone)
    offset = Math.round(zoned.offsetNanoseconds / 1_000_000)
    if (ofZone.size >= MAX_CACHED) ofZone.clear()
    ofZone.set(quarter, offset)
  }
  return offset
}

const dayNames = new Map<number, string>()

/** The calendar day of a number, see dayNumber. */
export function dayName(dayNumber: number): string {
  let name = dayNames.get(dayNumber)
  if (name === undefined) {
    name = new Date(dayNumber * DAY_MS).toISOString().slice(0, 10)
    if (dayNames.size >= MAX_CACHED) dayNames.clear()
    dayNames.set(dayNumber, name)
  }
  return name
}

/** Days since 1970-01-01 of a calendar day; the difference of two is the number of days between them. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS
}

/** The instant's day as its number, see dayNumber. */
export function dayNumberOf(zone: string, instant: number): number {
  return Math.floor((instant + offsetAt(zone, instant)) / DAY_MS)
}

export function dayOf(zone: string, instant: number): string {
  return dayName(dayNumberOf(zone, instant))
}

/** First instant of the wall-clock hour that holds the instant. The hour that a clock change repeats is two hours. */
export function hourStart(zone: string, instant: number): number {
  const offset = offsetAt(zone, instant)
  return Math.floor((instant + offset) / HOUR_MS) * HOUR_MS - offset
}

/** A stretch of time without a clock change, in which the zone's offset is the same: from <= instant < until. */
interface Steady {
  from: number
  until: number
  offset: number
}
const steadies = new Map<string, Steady[]>()

function steadyAt(zone: string, instant: number): Steady {
  let ofZone = steadies.get(zone)
  if (!ofZone) {
    ofZone = []
    steadies.set(zone, ofZone)
  }
  const known = ofZone.find(({ from, until }) => from <= instant && instant < until)
  if (known) return known
  // From just after it, or a change at this very instant would not count as one before.
  const after = Temporal.Instant.fromEpochMilliseconds(instant + 1).toZonedDateTimeISO(zone)
  const steady: Steady = {
    from: after.getTimeZoneTransition('previous')?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    until: after.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offset: after.offsetNanoseconds / 1_000_000,
  }
  // Days are asked in order: the next is most likely found first.
  ofZone.unshift(steady)
  return steady
}

/**
 * First instant of a day; where midnight does not exist, the first that does. Temporal takes 10 µs for one and a chart
 * of ten years needs thousands, so it is asked only for days near a clock change.
 */
export function dayStart(zone: string, day: string): number {
  const midnight = dayNumber(day) * DAY_MS
  const { from, until, offset } = steadyAt(zone, midnight)
  const start = midnight - offset
  if (start - DAY_MS > from && start + DAY_MS < until) return start
  return Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds
}

export function addDays(day: string, days: number): string {
  return dayName(dayNumber(day) + days)
}

/** The same day a year earlier; 29 February becomes 28 February. */
export function yearBefore(day: string): string {
  return Temporal.PlainDate.from(day).subtract({ years: 1 }).toString()
}

/** Monday of the day's week. */
export function weekStart(day: string): string {
  const number = dayNumber(day)
  return dayName(number - ((((number + 3) % 7) + 7) % 7))
}

/** Every day from..to, both included. */
export function eachDay(from: string, to: string): string[] {
  const days: string[] = []
  for (let number = dayNumber(from), last = dayNumber(to); number <= last; number++) days.push(dayName(number))
  return days
}
