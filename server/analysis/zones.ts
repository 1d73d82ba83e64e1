import { type Clock, placeAt, unpackClock } from '../../trpc/schema/clock.ts'
import rules from './zone-rules.json' with { type: 'json' }

/**
 * Calendar days, hours and weeks of a time zone. A day is "YYYY-MM-DD"; instants are epoch milliseconds. Days may
 * last 23 or 25 hours, and offsets may be of :30 or :45. The rules are this program's own (docs/decisions/017): those
 * that a runtime brings along differ from one to the next.
 */

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const MAX_CACHED = 50_000

/** Of the time zone database, such as "2026f". */
export const rulesVersion = rules.version
const packed: Record<string, string> = rules.zones
const links: Record<string, string> = rules.links
/** Names are known in upper and lower case alike, as by every runtime. */
const names = new Map([...Object.keys(packed), ...Object.keys(links)].map((name) => [name.toLowerCase(), name]))
/** Names of no place, as runtimes take them: "+05:30". */
const FIXED = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/

/** The zone's clock as a text (trpc/schema/clock.ts); null for what is no zone. */
function packedClock(zone: string): string | null {
  const name = names.get(zone.toLowerCase())
  if (name !== undefined) return packed[links[name] ?? name] ?? null
  const [, sign, hours, minutes = '0'] = FIXED.exec(zone) ?? []
  if (sign === undefined) return null
  return `${(Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)}|0|`
}

export function isZone(zone: string): boolean {
  return packedClock(zone) !== null
}

/** The clock of the zone as a text, for whoever reckons elsewhere. Throws for what is no zone. */
export function clockText(zone: string): string {
  const text = packedClock(zone)
  if (text === null) throw new Error(`${zone} is no time zone`)
  return text
}

/** Whether both have the same days and hours: two names of one zone, or of two whose clocks have always agreed since 1970. */
export function isSameClock(zone: string, other: string): boolean {
  const text = packedClock(zone)
  return text !== null && text === packedClock(other)
}

const clocks = new Map<string, Clock>()

function clockOf(zone: string): Clock {
  let clock = clocks.get(zone)
  if (!clock) {
    clock = unpackClock(clockText(zone))
    if (clocks.size >= MAX_CACHED) clocks.clear()
    clocks.set(zone, clock)
  }
  return clock
}

/** A stretch of time without a clock change: from <= instant < until. Most events come in the same as the one before. */
let steady = { zone: '', from: 0, until: 0, offset: 0 }

function steadyAt(zone: string, instant: number): typeof steady {
  if (steady.zone === zone && steady.from <= instant && instant < steady.until) return steady
  const clock = clockOf(zone)
  const place = placeAt(clock, instant)
  const { from, offset } = clock[place]!
  steady = { zone, from, until: clock[place + 1]?.from ?? Number.POSITIVE_INFINITY, offset }
  return steady
}

/** Milliseconds to add to UTC to get the zone's wall clock. */
export function offsetAt(zone: string, instant: number): number {
  return steadyAt(zone, instant).offset
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

/**
 * First instant of the wall-clock hour that holds the instant. A clock change ends an hour: one that it repeats is two
 * hours, and where it goes by less than an hour, or at no full one, there are shorter ones before and after it.
 */
export function hourStart(zone: string, instant: number): number {
  const { from, offset } = steadyAt(zone, instant)
  return Math.max(from, Math.floor((instant + offset) / HOUR_MS) * HOUR_MS - offset)
}

/** First instant of the hour after the one that holds the instant. */
export function nextHourStart(zone: string, instant: number): number {
  const { until, offset } = steadyAt(zone, instant)
  return Math.min(until, (Math.floor((instant + offset) / HOUR_MS) + 1) * HOUR_MS - offset)
}

/** First instant of a day; where midnight, or the whole day, does not exist, the first instant after. */
export function dayStart(zone: string, day: string): number {
  const midnight = dayNumber(day) * DAY_MS
  // No clock is further from UTC than a day and no change moves it by more.
  const clock = clockOf(zone)
  for (let place = placeAt(clock, midnight - 2 * DAY_MS); ; place++) {
    const { from, offset } = clock[place]!
    const start = Math.max(from, midnight - offset)
    if (start < (clock[place + 1]?.from ?? Number.POSITIVE_INFINITY)) return start
  }
}

/** A stretch of instants: from <= instant < until. */
export interface Stretch {
  from: number
  until: number
}

/** The instants of a day, ascending: mostly one stretch, two where a clock change goes back over midnight, none of a day that a zone left out. */
export function dayStretches(zone: string, day: string): Stretch[] {
  const midnight = dayNumber(day) * DAY_MS
  return changesNear(zone, midnight)
    .map(({ from, until, offset }) => ({
      from: Math.max(from, midnight - offset),
      until: Math.min(until, midnight + DAY_MS - offset),
    }))
    .filter(({ from, until }) => from < until)
}

/**
 * The instants at which the clock on the wall shows this time of the day (milliseconds after midnight), ascending: two
 * where a clock change repeats it. Of a time that one leaves out, the instant of the change.
 */
export function wallInstants(zone: string, day: string, timeMs: number): number[] {
  const shown = dayNumber(day) * DAY_MS + timeMs
  const found: number[] = []
  for (const { from, until, offset } of changesNear(zone, shown)) {
    const instant = shown - offset
    if (from <= instant && instant < until) found.push(instant)
    else if (instant < from && found.length === 0) return [from]
  }
  return found
}

/** Every stretch without a clock change that may hold what the wall shows as this instant of UTC. */
function changesNear(zone: string, shown: number): (Stretch & { offset: number })[] {
  const clock = clockOf(zone)
  // No clock is further from UTC than a day and no change moves it by more.
  const [first, last] = [placeAt(clock, shown - 2 * DAY_MS), placeAt(clock, shown + 3 * DAY_MS)]
  return clock.slice(first, last + 1).map(({ from, offset }, index) => ({
    ...{ from, offset },
    until: clock[first + index + 1]?.from ?? Number.POSITIVE_INFINITY,
  }))
}

export function addDays(day: string, days: number): string {
  return dayName(dayNumber(day) + days)
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
