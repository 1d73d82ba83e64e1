import { addDays, dayName, dayNumber, dayOf, dayStart, offsetAt, wallInstants, weekStart } from './zones.ts'

/**
 * Which earlier period a range is compared with, like with like (docs/decisions/020-comparison.md). Days are of the
 * site's zone and inclusive, instants are epoch milliseconds.
 */

export interface Days {
  from: string
  to: string
}

/** What a period goes back by as a whole. */
export type Unit = 'day' | 'week' | 'month'

export interface Earlier extends Days {
  /** What went back, and how many days or months (of weeks as well the days). */
  by: Unit
  back: number
  /** Null for whole days. Else `to` counts only up to this instant, at which the clock on the wall shows `time`. */
  until: { at: number; time: string } | null
}

export interface ComparisonQuery {
  range: Days
  /** previous: the period just before. year: a year before. */
  with: 'previous' | 'year'
  /** What the range is made of; null to tell by its days. */
  by: Unit | null
  zone: string
  now: number
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** A year on the same weekdays. */
const YEAR_DAYS = 364
const YEAR_MONTHS = 12

/** The period to compare with. One that is not over is compared up to the same minute of the same day of the earlier one. */
export function earlierPeriod({ range, with: wanted, by, zone, now }: ComparisonQuery): Earlier {
  const today = dayOf(zone, now)
  const isOpen = range.from <= today && today <= range.to
  const unit = by ?? unitOf(range, today)
  const isPast = Number(range.to.slice(8)) >= Number(range.from.slice(8))
  const months = monthNumber(range.to) - monthNumber(range.from) + Number(isPast)
  const days = dayNumber(range.to) - dayNumber(range.from) + 1
  const back =
    unit === 'month'
      ? wanted === 'year'
        ? YEAR_MONTHS
        : months
      : wanted === 'year'
        ? YEAR_DAYS
        : unit === 'week'
          ? 7 * Math.ceil(days / 7)
          : days
  const earlier = { by: unit, back }
  const from = dayBefore(range.from, earlier, 'first')
  if (!isOpen) return { ...earlier, from, to: dayBefore(range.to, earlier, 'last'), until: null }
  const to = dayBefore(today, earlier, 'clipped')
  // The earlier month is shorter: at its last moment it had not come as far as this one has by now.
  if (counterpart(today, earlier) === null) return { ...earlier, from, to, until: null }
  return { ...earlier, from, to, until: sameMoment(zone, now, to) }
}

/** The day of the earlier period that a day is compared with; null where the earlier month has none of its number. */
export function counterpart(day: string, { by, back }: Pick<Earlier, 'by' | 'back'>): string | null {
  if (by !== 'month') return addDays(day, -back)
  const month = monthNumber(day) - back
  return Number(day.slice(8)) > monthLength(month) ? null : dayOfMonth(month, Number(day.slice(8)))
}

/** As counterpart, but never null: days that are missing become the last of their month, as does the last of a month where `how` is last. */
function dayBefore(day: string, { by, back }: Pick<Earlier, 'by' | 'back'>, how: 'first' | 'last' | 'clipped'): string {
  if (by !== 'month') return addDays(day, -back)
  const month = monthNumber(day) - back
  const isLast = how === 'last' && isMonthEnd(day)
  return dayOfMonth(month, isLast ? monthLength(month) : Math.min(Number(day.slice(8)), monthLength(month)))
}

/** Whole months, or months up to today, are months; the days from a Monday up to today are a week. All else is days. */
function unitOf({ from, to }: Days, today: string): Unit {
  if (from === to) return 'day'
  if (from.endsWith('-01') && (isMonthEnd(to) || to === today)) return 'month'
  if (to === today && weekStart(to) === from) return 'week'
  return 'day'
}

/**
 * The instant of the day at which the wall shows the minute that it shows now. Of a time that comes twice the second is
 * meant only where it is the second now as well; one that a clock change leaves out is the instant of the change.
 */
function sameMoment(zone: string, now: number, day: string): NonNullable<Earlier['until']> {
  const wall = now + offsetAt(zone, now)
  const timeMs = (((wall % DAY_MS) + DAY_MS) % DAY_MS) - (((wall % MINUTE_MS) + MINUTE_MS) % MINUTE_MS)
  const minute = now - (((wall % MINUTE_MS) + MINUTE_MS) % MINUTE_MS)
  const place = Math.max(0, wallInstants(zone, dayOf(zone, now), timeMs).indexOf(minute))
  const instants = wallInstants(zone, day, timeMs)
  const at = instants[Math.min(place, instants.length - 1)] ?? dayStart(zone, day)
  return { at, time: new Date(timeMs).toISOString().slice(11, 16) }
}

/** Months since the year 0. */
function monthNumber(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1
}

function dayOfMonth(month: number, day: number): string {
  return dayName(Date.UTC(Math.floor(month / 12), month % 12, day) / DAY_MS)
}

function monthLength(month: number): number {
  return new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate()
}

function isMonthEnd(day: string): boolean {
  return addDays(day, 1).endsWith('-01')
}
