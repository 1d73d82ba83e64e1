/** Months as numbers YYYYMM of the UTC calendar: the pieces in which stores keep events. */

const DAY_MS = 86_400_000
let lastDay = Number.NaN
let lastMonth = 0

/** Neighbours in a batch mostly share the day, so that the calendar is asked once for both. */
export function monthOf(instant: number): number {
  const day = Math.floor(instant / DAY_MS)
  if (day !== lastDay) {
    const date = new Date(instant)
    lastMonth = date.getUTCFullYear() * 100 + date.getUTCMonth() + 1
    lastDay = day
  }
  return lastMonth
}

/** First instant of the month, epoch milliseconds. */
export function monthStart(month: number): number {
  return Date.UTC(Math.floor(month / 100), (month % 100) - 1, 1)
}

/** The month so many months later; earlier for less than none. */
export function addMonths(month: number, months: number): number {
  const count = Math.floor(month / 100) * 12 + (month % 100) - 1 + months
  return Math.floor(count / 12) * 100 + (count % 12) + 1
}

/** Such as "2026-11". */
export function monthName(month: number): string {
  return `${String(Math.floor(month / 100)).padStart(4, '0')}-${String(month % 100).padStart(2, '0')}`
}

/** No event is older. */
const FIRST_MONTH = 197001

/**
 * The oldest month that is kept with `months` whole months before the one that `now` is in; null keeps them all: with 0,
 * and with so many that there is nothing before.
 */
export function firstKeptMonth(now: number, months: number): number | null {
  const first = addMonths(monthOf(now), -months)
  return months === 0 || first <= FIRST_MONTH ? null : first
}
