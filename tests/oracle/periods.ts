import { type Calendar, mondayOf, plusDays } from './calendar.ts'

/** The earlier period that a range is compared with, computed naively by iterating over days and minutes. */
export interface ComparedDays {
  from: string
  to: string
  by: 'day' | 'week' | 'month'
  back: number
  /** The time at which `to` is cut off, as instant and local time; null for the whole day. */
  until: { at: number; time: string } | null
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const isLast = (day: string) => plusDays(day, 1).endsWith('-01')
const number = (day: string) => Number(day.slice(8))

/** The first day of the previous month. */
const monthBefore = (day: string) => `${plusDays(`${day.slice(0, 7)}-01`, -1).slice(0, 7)}-01`

/** The same day of the month, `months` earlier; null if that month is too short. */
function sameNumber(day: string, months: number): string | null {
  let month = `${day.slice(0, 7)}-01`
  for (let n = 0; n < months; n++) month = monthBefore(month)
  const found = plusDays(month, number(day) - 1)
  return found.slice(0, 7) === month.slice(0, 7) ? found : null
}

function lastOfMonth(day: string, months: number): string {
  let last = sameNumber(`${day.slice(0, 7)}-01`, months)!
  while (!isLast(last)) last = plusDays(last, 1)
  return last
}

/** The number of calendar months that from..to touches. */
function monthsIn(from: string, to: string): number {
  let months = 1
  for (let day = to; day.slice(0, 7) !== from.slice(0, 7); day = monthBefore(day)) months += 1
  return months
}

/** The instants at which a day's clock shows a local time; if it never does, the first instant after it. */
function momentsOf(calendar: Calendar, day: string, time: string): number[] {
  const start = Date.parse(`${day}T00:00:00Z`) - 2 * DAY_MS
  const minutes = Array.from({ length: 4 * 24 * 60 }, (_, minute) => start + minute * MINUTE_MS)
  const found = minutes.filter((at) => calendar.day(at) === day && calendar.time(at) === time)
  if (found.length > 0) return found
  return [minutes.find((at) => `${calendar.day(at)} ${calendar.time(at)}` > `${day} ${time}`)!]
}

export interface Wanted {
  from: string
  to: string
  compare: 'previous' | 'year'
  by?: 'day' | 'week' | 'month' | undefined
  now: number
}

export function comparedDays(calendar: Calendar, { from, to, compare, by, now }: Wanted): ComparedDays {
  const today = calendar.day(now)
  const isSingle = from === to
  const isMonths = !isSingle && from.endsWith('-01') && (isLast(to) || to === today)
  const isWeek = !isSingle && to === today && mondayOf(to) === from
  const unit = by ?? (isMonths ? 'month' : isWeek ? 'week' : 'day')
  let days = 0
  for (let day = from; day <= to; day = plusDays(day, 1)) days += 1
  let back = days
  if (unit === 'week') while (back % 7 !== 0) back += 1
  if (compare === 'year') back = 364
  if (unit === 'month') back = compare === 'year' ? 12 : monthsIn(from, to)
  const earlier = { by: unit, back }
  const same = (day: string) => counterpartDay(day, earlier)
  const first = same(from)!
  if (today < from || to < today) {
    const end = unit === 'month' && isLast(to) ? lastOfMonth(to, back) : (same(to) ?? lastOfMonth(to, back))
    return { ...earlier, from: first, to: end, until: null }
  }
  const end = same(today)
  if (end === null) return { ...earlier, from: first, to: lastOfMonth(today, back), until: null }
  const time = calendar.time(now)
  const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS
  const place = momentsOf(calendar, today, time).indexOf(minute)
  const moments = momentsOf(calendar, end, time)
  return { ...earlier, from: first, to: end, until: { at: moments[place] ?? moments.at(-1)!, time } }
}

/** The day that a day of the range is compared with; null if there is none. */
export function counterpartDay(day: string, { by, back }: Pick<ComparedDays, 'by' | 'back'>): string | null {
  return by === 'month' ? sameNumber(day, back) : plusDays(day, -back)
}
