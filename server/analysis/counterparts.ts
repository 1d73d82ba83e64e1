import type { Counterpart, DayFigures, Point } from '../../trpc/schema/stats.ts'
import { counterpart, type Days, type Earlier } from './comparison.ts'
import { addDays, dayStart, offsetAt } from './zones.ts'

const HOUR_MS = 3_600_000

export interface CounterpartsQuery {
  interval: 'hour' | 'day' | 'week'
  range: Days
  points: readonly Point[]
  earlier: Earlier
  /** Of the earlier period. */
  earlierPoints: readonly Point[]
  earlierDays: readonly DayFigures[]
  zone: string
}

/** What each bucket is compared with, in the order of the buckets; null where the earlier period has nothing like it. */
export function counterpartsOf(query: CounterpartsQuery): (Counterpart | null)[] {
  if (query.interval === 'week') return weekCounterparts(query)
  const { points, earlier, earlierPoints, zone, interval } = query
  const names = interval === 'hour' ? hourNames : dayNames
  const byName = new Map<string, Point>()
  for (const [index, name] of names(earlierPoints, zone).entries()) byName.set(name, earlierPoints[index]!)
  const days = new Map(points.map(({ date }) => [date, counterpart(date, earlier)]))
  return names(points, zone).map((name, index) => {
    const { date } = points[index]!
    const day = days.get(date)
    const found = day ? byName.get(day + name.slice(date.length)) : undefined
    return found ? { ...found, to: found.date } : null
  })
}

function dayNames(points: readonly Point[]): string[] {
  return points.map(({ date }) => date)
}

/** The day, the hour on the wall, and whether it is the first or the second of its name. */
function hourNames(points: readonly Point[], zone: string): string[] {
  const seen = new Map<string, number>()
  return points.map(({ at, date }) => {
    const instant = Date.parse(at)
    const hour = new Date(Math.floor((instant + offsetAt(zone, instant)) / HOUR_MS) * HOUR_MS).getUTCHours()
    const name = `${date} ${hour}`
    const place = seen.get(name) ?? 0
    seen.set(name, place + 1)
    return `${name} ${place}`
  })
}

/** A week is compared with the days that its own days are compared with, wherever the weeks of the earlier period begin. */
function weekCounterparts({ points, range, earlier, earlierDays, zone }: CounterpartsQuery): (Counterpart | null)[] {
  const byDate = new Map(earlierDays.map((day) => [day.date, day]))
  return points.map(({ date: monday }) => {
    let found: { from: string; to: string; days: number; events: number } | null = null
    for (let place = 0; place < 7; place++) {
      const date = addDays(monday, place)
      if (date < range.from || range.to < date) continue
      const day = byDate.get(counterpart(date, earlier) ?? '')
      if (!day) continue
      found ??= { from: day.date, to: day.date, days: 0, events: 0 }
      found = { ...found, to: day.date, days: found.days + 1, events: found.events + day.events }
    }
    if (!found) return null
    const isCut = earlier.until !== null && found.to === earlier.to
    return {
      at: new Date(dayStart(zone, found.from)).toISOString(),
      date: found.from,
      to: found.to,
      events: found.events,
      partial: found.days < 7 || isCut,
    }
  })
}
