import type { DayFigures, Overview } from '../../trpc/schema/stats.ts'
import { claimedIn, grossOf, mainFirst, partOf } from '../format/money.ts'
import { mondayOf } from '../range/days.ts'
import type { Trust } from './trust.ts'

/** Maximum number of points in a sparkline; longer periods are averaged. */
const MAX_COURSE_POINTS = 183

/**
 * A figure over time for a sparkline, oldest first; each point averages the same number of days. Null where the divisor
 * is 0 and for future days.
 */
export type Course = (number | null)[]
export type CourseName = 'users' | 'events' | 'perUser' | 'sessions' | 'orders' | 'conversion' | 'gross'
export type Courses = Record<CourseName, Course>

/** Revenue of one day, or of one week named by its Monday, in one currency. */
export interface RevenueBucket {
  at: string
  date: string
  /** False for future days, which have no figures (as opposed to days without sales). */
  isBegun: boolean
  /** Minor units. */
  gross: number
  /** True if the sum is above Number.MAX_SAFE_INTEGER, where it stays. */
  isMore?: true
  orders: number
  /** The part stated with a server key. */
  verified: { gross: number; isMore?: true }
}

export interface Revenue {
  currency: string
  interval: 'day' | 'week'
  /** Whether part of the revenue is only claimed by browsers. */
  hasClaims: boolean
  buckets: RevenueBucket[]
}

type Whole = 'days' | 'eventsByDay' | 'previous'

/** What the dashboard draws of an overview. Without figures per day: thousands of days are too much to send. */
export interface Drawing extends Omit<Overview, Whole> {
  courses: Courses
  trust: Trust
  /** Revenue in the selected currency; null if there are no orders. */
  revenue: Revenue | null
  previous?: Omit<NonNullable<Overview['previous']>, 'days' | 'points'> & { courses: Courses }
}

/** `asked` is the currency in the address; null if there is none. */
export function drawingOf(
  { days, eventsByDay, previous, ...overview }: Overview,
  { asked, today, trust = 'all' }: { asked: string | null; today: string; trust?: Trust },
): Drawing {
  const money = mainFirst(overview.money, overview.site.currency)
  const main = money[0]?.currency ?? overview.site.currency
  const chosen = (money.find((sum) => sum.currency === asked) ?? money[0])?.currency
  const interval = overview.series.interval === 'week' ? 'week' : 'day'
  const all = [...days, ...(previous?.days ?? [])]
  const courses = (days: readonly DayFigures[]) => ofTrust(coursesOf(days, main, today, all), trust)
  return {
    ...overview,
    trust,
    courses: courses(days),
    revenue:
      chosen === undefined
        ? null
        : {
            ...{ currency: chosen, interval, hasClaims: claimedIn(money).has(chosen) },
            buckets: bucketsOf(days, chosen, interval, today),
          },
    ...(previous && { previous: withoutDays(previous, courses) }),
  }
}

function withoutDays(
  { days, points: _, ...previous }: NonNullable<Overview['previous']>,
  courses: (days: readonly DayFigures[]) => Courses,
) {
  return { ...previous, courses: courses(days) }
}

/** Verified orders have no conversion rate: sessions do not record whether their orders are verified or claimed. */
function ofTrust(courses: Courses, trust: Trust): Courses {
  return trust === 'all' ? courses : { ...courses, conversion: courses.conversion.map(() => null) }
}

/** Whether a day has figures: it is today or past, or a client with a fast clock has sent events dated to it. */
function isBegun(day: DayFigures, today: string): boolean {
  return day.date <= today || day.events > 0
}

/** `all`: days of both series of one sparkline. Both draw all revenue, or both draw verified revenue only. */
export function coursesOf(days: readonly DayFigures[], currency: string, today: string, all = days): Courses {
  // If claimed revenue exceeds the number range, draw verified revenue only.
  const isMore = all.some(({ money }) => money.some((sum) => sum.currency === currency && sum.claimed.isMore))
  const length = Math.ceil(days.length / MAX_COURSE_POINTS)
  const groups = Array.from({ length: Math.ceil(days.length / Math.max(1, length)) }, (_, index) =>
    days.slice(index * length, (index + 1) * length).filter((day) => isBegun(day, today)),
  )
  const course = (of: (day: DayFigures) => number, per: (day: DayFigures) => number = () => 1): Course =>
    groups.map((group) => {
      const base = sum(group, per)
      return base === 0 ? null : sum(group, of) / base
    })
  return {
    users: course((day) => day.users),
    events: course((day) => day.events),
    perUser: course(
      (day) => day.events,
      (day) => day.users,
    ),
    sessions: course((day) => day.sessions),
    orders: course((day) => day.orders),
    conversion: course(
      (day) => day.orderingSessions,
      (day) => day.sessions,
    ),
    gross: course(({ money }) => grossOf(isMore ? partOf(money, 'verified') : money, currency)),
  }
}

function sum(days: readonly DayFigures[], of: (day: DayFigures) => number): number {
  return days.reduce((total, day) => total + of(day), 0)
}

/** Revenue in one currency by day, or by week named by its Monday, as in the events chart. */
export function bucketsOf(
  days: readonly DayFigures[],
  currency: string,
  interval: Revenue['interval'],
  today: string,
): RevenueBucket[] {
  const buckets = new Map<string, RevenueBucket>()
  for (const day of days) {
    const date = interval === 'day' ? day.date : mondayOf(day.date)
    const bucket: RevenueBucket = buckets.get(date) ?? {
      at: `${date}T12:00:00Z`,
      date,
      isBegun: false,
      gross: 0,
      orders: 0,
      verified: { gross: 0 },
    }
    bucket.isBegun ||= isBegun(day, today)
    const sum = day.money.find((sum) => sum.currency === currency)
    if (sum) {
      add(bucket, sum)
      add(bucket.verified, sum.verified)
      bucket.orders += sum.orders
    }
    buckets.set(date, bucket)
  }
  return [...buckets.values()]
}

/** Adds a sum, capped at Number.MAX_SAFE_INTEGER; isMore marks a capped sum. */
function add(to: { gross: number; isMore?: true }, { gross, isMore }: { gross: number; isMore?: true }): void {
  to.gross += gross
  if (isMore || !Number.isSafeInteger(to.gross)) to.isMore = true
  to.gross = Math.min(to.gross, Number.MAX_SAFE_INTEGER)
}
