import type { ComparedPeriod, Counterpart, MissingReason } from '../../trpc/schema/stats.ts'
import { formatClock, formatDay, formatRange, formatShortDay, formatShortRange, weekdayOf } from '../format/time.ts'
import { addDays } from './days.ts'
import type { Interval } from './range.ts'

/** The period compared with, the shop's current day and its time zone. */
export interface Words {
  period: ComparedPeriod
  today: string
  zone: string
}

/** "yesterday until 17:32", "Mon 1 Dec 2025", "1 Oct – 31 Oct 2026", "1 Oct – 23 Oct 2026 until 13:00" */
export function comparedName({ period, today, zone }: Words): string {
  return nameOf(period.range, { today, long: true }) + untilName(period, zone)
}

/** The same for narrow places, with the year only if it is not the current one. */
export function comparedShortName({ period, today, zone }: Words): string {
  return (
    nameOf(period.range, { today, long: period.range.to.slice(0, 4) !== today.slice(0, 4) }) + untilName(period, zone)
  )
}

function nameOf({ from, to }: ComparedPeriod['range'], { today, long }: { today: string; long: boolean }): string {
  if (from !== to) return long ? formatRange(from, to) : formatShortRange(from, to)
  if (from === addDays(today, -1)) return 'yesterday'
  return `${weekdayOf(from).slice(0, 3)} ${long ? formatDay(from) : formatShortDay(from)}`
}

function untilName({ until, untilTime }: ComparedPeriod, zone: string): string {
  return untilTime === null ? '' : ` until ${clockName(until, untilTime, zone)}`
}

/** The period's local time; with its UTC offset if a clock change makes it occur twice. */
function clockName(until: string, time: string, zone: string): string {
  const name = formatClock(until, zone)
  return name.startsWith(time) ? name : time
}

/** How the compared period relates to the one shown; null where the dates make it obvious (two single days). */
export function comparedHow({ aligned: { by, back }, range }: ComparedPeriod): string | null {
  if (by === 'day' && back === 364) return 'the same weekdays, 364 days before'
  if (by === 'week') return back === 7 ? 'the same days of the week before' : 'the same weekdays'
  if (by === 'month' && back === 12) return 'the same dates a year before'
  if (by === 'month') return back === 1 ? 'the month before' : `the ${back} months before`
  return range.from === range.to ? null : 'as many days before'
}

/** The name of a bucket's counterpart: "Sun 29 Nov until 17:32", "28 Nov, 17:00"; with the year if not this one. */
export function counterpartName(point: Counterpart, interval: Interval, { period, today, zone }: Words): string {
  const isCut = period.untilTime !== null && point.partial && point.to === period.range.to
  const long = [period.range.from, period.range.to].some((day) => day.slice(0, 4) !== today.slice(0, 4))
  const day = long ? formatDay(point.date) : formatShortDay(point.date)
  const name =
    interval === 'hour'
      ? `${day}, ${formatClock(point.at, zone)}`
      : interval === 'day'
        ? `${weekdayOf(point.date).slice(0, 3)} ${day}`
        : long
          ? formatRange(point.date, point.to)
          : formatShortRange(point.date, point.to)
  return isCut ? name + untilName(period, zone) : name
}

/** A sentence that says why there is no comparison. */
export function missingSentence(words: Words, reason: MissingReason): string {
  const name = comparedName(words)
  if (reason === 'not_kept')
    return `The events of ${name} are not kept any more, so they cannot be counted. Choose a period that ends before today to compare.`
  if (reason === 'too_many')
    return `There are too many events of ${name} to count them in time. Choose a period that ends before today to compare.`
  return `The events of ${name} are still to be counted: others come first. Load the page again in a moment.`
}
