import { dayNumber, offsetAt } from '../analysis/zones.ts'
import { createRandom, type Random } from './random.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Monday to Sunday. */
const weekdays = [0.95, 0.92, 0.93, 0.97, 1.0, 1.2, 1.36]

/** Visits that start in each hour of the day, in the shop's own zone. */
const workdayHours = [8, 4, 2, 1, 1, 3, 10, 24, 32, 34, 36, 38, 46, 42, 36, 35, 38, 46, 58, 70, 80, 76, 50, 22]
const weekendHours = [14, 8, 4, 2, 1, 2, 5, 12, 26, 44, 58, 62, 58, 54, 56, 58, 60, 62, 64, 68, 70, 62, 42, 24]

/** The autumn sale: how much more is going on on each of its days. */
const saleLift = [2.1, 1.75, 1.5]
const SALE_AT = 0.78
const NEWSLETTER_LIFT = 1.14
const THURSDAY = 3

export interface Day {
  /** "YYYY-MM-DD" */
  date: string
  /** How busy the day is beside the others. */
  weight: number
  isSale: boolean
  isWeekend: boolean
}

/** The shop's days: growing over the range, busier on weekends and after a newsletter, with one sale. */
export function createCalendar(dates: readonly string[], seed: number): Day[] {
  const random = createRandom(seed, 1)
  const saleStart = Math.floor(dates.length * SALE_AT)
  return dates.map((date, index) => {
    const number = dayNumber(date)
    const weekday = (((number + 3) % 7) + 7) % 7
    const week = Math.floor((number + 3) / 7)
    const sale = saleLift[index - saleStart] ?? 1
    const trend = 0.78 + (0.44 * index) / Math.max(1, dates.length - 1)
    const newsletter = weekday === THURSDAY && week % 2 === 0 ? NEWSLETTER_LIFT : 1
    const weather = 0.94 + 0.12 * random.next()
    return {
      date,
      weight: trend * (weekdays[weekday] ?? 1) * sale * newsletter * weather,
      isSale: sale > 1,
      isWeekend: weekday >= 5,
    }
  })
}

/** The part of a day's visits that start up to an instant, 0..1. */
export function shareUntil(day: Day, zone: string, instant: number): number {
  const hours = hoursOf(day)
  const passed = hours.map((weight, hour) => {
    const start = instantOf(zone, day.date, hour)
    return weight * Math.min(1, Math.max(0, (instant - start) / HOUR_MS))
  })
  return sum(passed) / sum(hours)
}

/** Draws when a visit of this day starts (epoch milliseconds): never after endsAt, which is no earlier than the day. */
export function createStarts(day: Day, zone: string, endsAt: number): (random: Random) => number {
  const open = hoursOf(day).map((weight, hour) => {
    const start = instantOf(zone, day.date, hour)
    return [hour === 0 || start <= endsAt ? weight : 0, start] as const
  })
  return (random) => {
    const start = random.weighted(open)
    return start + random.int(Math.max(1, Math.min(HOUR_MS, endsAt - start)))
  }
}

function hoursOf(day: Day): number[] {
  return day.isWeekend ? weekendHours : workdayHours
}

/** The instant of a wall-clock time of the zone. A time that a clock change skips becomes the one an hour later. */
function instantOf(zone: string, date: string, hour: number): number {
  const wall = dayNumber(date) * DAY_MS + hour * HOUR_MS
  const guess = wall - offsetAt(zone, wall)
  return wall - offsetAt(zone, guess)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
