import type { DayFigures, Figures, Point } from '../../trpc/schema/stats.ts'
import type { OverviewRow } from '../store/store.ts'
import { addDays, dayOf, dayStart, eachDay, nextHourStart, offsetAt, weekStart } from './zones.ts'

/** events / users with one decimal, null without users. */
export function averagePerUser(events: number, users: number): number | null {
  return users === 0 ? null : Math.round((events / users) * 10) / 10
}

export function figuresOf(row: OverviewRow): Figures {
  return {
    totalUsers: row.users,
    totalEvents: row.events,
    avgEventsPerUser: averagePerUser(row.events, row.users),
    sessions: row.sessions,
    orderingSessions: row.orderingSessions,
    orders: row.orders,
    conversion: row.sessions === 0 ? null : row.orderingSessions / row.sessions,
    money: row.money,
    aside: row.aside,
  }
}

/** Every day from..to; days without events as zeros. */
export function fillDays(rows: OverviewRow['days'], from: string, to: string): DayFigures[] {
  const byDay = new Map(rows.map((row) => [row.day, row]))
  return eachDay(from, to).map((date) => {
    const row = byDay.get(date)
    return row
      ? {
          date,
          events: row.events,
          users: row.users,
          sessions: row.sessions,
          orderingSessions: row.orderingSessions,
          orders: row.orders,
          money: row.money,
        }
      : { date, events: 0, users: 0, sessions: 0, orderingSessions: 0, orders: 0, money: [] }
  })
}

/** One point a day; a day that is not over at `now` is partial. */
export function dayPoints(days: DayFigures[], zone: string, now: number): Point[] {
  const today = dayOf(zone, now)
  return days.map(({ date, events }) => ({
    at: new Date(dayStart(zone, date)).toISOString(),
    date,
    events,
    partial: date >= today,
  }))
}

/** One point a week, named by its Monday. A week that the range cuts or that is not over is partial. */
export function weekPoints(days: DayFigures[], zone: string, now: number): Point[] {
  const weeks = new Map<string, { events: number; days: number }>()
  for (const { date, events } of days) {
    const monday = weekStart(date)
    const week = weeks.get(monday) ?? { events: 0, days: 0 }
    week.events += events
    week.days += 1
    weeks.set(monday, week)
  }
  return [...weeks].map(([date, week]) => ({
    at: new Date(dayStart(zone, date)).toISOString(),
    date,
    events: week.events,
    partial: week.days < 7 || dayStart(zone, addDays(date, 7)) > now,
  }))
}

/** One point for each wall-clock hour that the zone really had in from..to (hourStart): 23 or 25 on the day of a clock change. */
export function hourPoints(
  rows: { start: number; events: number }[],
  from: string,
  to: string,
  zone: string,
  now: number,
): Point[] {
  const byStart = new Map(rows.map((row) => [row.start, row.events]))
  const points: Point[] = []
  const end = dayStart(zone, addDays(to, 1))
  let start = dayStart(zone, from)
  while (start < end) {
    const next = nextHourStart(zone, start)
    const wall = new Date(start + offsetAt(zone, start)).toISOString()
    points.push({
      at: new Date(start).toISOString(),
      date: wall.slice(0, 10),
      events: byStart.get(start) ?? 0,
      partial: next > now,
    })
    start = next
  }
  return points
}
