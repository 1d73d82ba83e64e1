import type { DayFigures, Overview } from '../../trpc/schema/stats.ts'
import { grossOf, mainFirst } from '../format/money.ts'
import { mondayOf } from '../range/days.ts'
import type { Trust } from './trust.ts'

/** More points than this a sparkline has no room for. */
const MAX_COURSE_POINTS = 183

/** How a figure moved, oldest first, each value the mean of as many days as it takes; null where there is nothing to divide by, and of days to come. */
export type Course = (number | null)[]
export type CourseName = 'users' | 'events' | 'perUser' | 'sessions' | 'orders' | 'conversion' | 'gross'
export type Courses = Record<CourseName, Course>

/** A day, or a week named by its Monday, of one currency. */
export interface RevenueBucket {
  at: string
  date: string
  /** False of days to come, which have no figures rather than none sold. */
  isBegun: boolean
  /** Minor units. */
  gross: number
  /** The sum is more than a number can say. */
  isMore?: true
  orders: number
}

export interface Revenue {
  currency: string
  interval: 'day' | 'week'
  buckets: RevenueBucket[]
}

type Whole = 'days' | 'eventsByDay' | 'previous'

/** What the dashboard draws of an overview; thousands of days with all their figures are nothing to send to a page. */
export interface Drawing extends Omit<Overview, Whole> {
  courses: Courses
  trust: Trust
  /** Of the currency that was chosen; null without orders. */
  revenue: Revenue | null
  previous?: Omit<NonNullable<Overview['previous']>, 'days' | 'points'> & { courses: Courses }
}

/** `asked` is the currency that the address names. */
export function drawingOf(
  { days, eventsByDay, previous, ...overview }: Overview,
  { asked, today, trust = 'all' }: { asked: string | null; today: string; trust?: Trust },
): Drawing {
  const money = mainFirst(overview.money, overview.site.currency)
  const main = money[0]?.currency ?? overview.site.currency
  const chosen = (money.find((sum) => sum.currency === asked) ?? money[0])?.currency
  const interval = overview.series.interval === 'week' ? 'week' : 'day'
  return {
    ...overview,
    trust,
    courses: ofTrust(coursesOf(days, main, today), trust),
    revenue:
      chosen === undefined ? null : { currency: chosen, interval, buckets: bucketsOf(days, chosen, interval, today) },
    ...(previous && { previous: withoutDays(previous, main, { today, trust }) }),
  }
}

function withoutDays(
  { days, points: _, ...previous }: NonNullable<Overview['previous']>,
  currency: string,
  { today, trust }: { today: string; trust: Trust },
) {
  return { ...previous, courses: ofTrust(coursesOf(days, currency, today), trust) }
}

/** Sessions are not told apart by who states their orders: of verified orders there is no conversion. */
function ofTrust(courses: Courses, trust: Trust): Courses {
  return trust === 'all' ? courses : { ...courses, conversion: courses.conversion.map(() => null) }
}

/** Whether a day has figures: it is not to come, or a clock that runs ahead has sent some of it. */
function isBegun(day: DayFigures, today: string): boolean {
  return day.date <= today || day.events > 0
}

export function coursesOf(days: readonly DayFigures[], currency: string, today: string): Courses {
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
    gross: course((day) => grossOf(day.money, currency)),
  }
}

function sum(days: readonly DayFigures[], of: (day: DayFigures) => number): number {
  return days.reduce((total, day) => total + of(day), 0)
}

/** Days of one currency, or their weeks, named by their Monday as the events chart names them. */
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
    }
    bucket.isBegun ||= isBegun(day, today)
    const sum = day.money.find((sum) => sum.currency === currency)
    bucket.gross += sum?.gross ?? 0
    if (sum?.isMore || !Number.isSafeInteger(bucket.gross)) bucket.isMore = true
    bucket.gross = Math.min(bucket.gross, Number.MAX_SAFE_INTEGER)
    bucket.orders += sum?.orders ?? 0
    buckets.set(date, bucket)
  }
  return [...buckets.values()]
}
