import { daysBetween, mondayOf, plusDays } from './calendar.ts'
import type { Answer, Asked } from './compare.ts'
import { comparedDays, counterpartDay, type Wanted } from './periods.ts'

interface Bucket {
  at: string
  date: string
  events: number
  previous: { at: string; date: string; events: number } | null
}

/** Ranges around days with events and around today, each compared with the previous period and the previous year. */
export async function compareComparisons(asked: Asked, now: () => number): Promise<void> {
  const { oracle, draw } = asked
  const eventDays = [...new Set(oracle.events.map(({ at }) => oracle.calendar.day(at)))].sort()
  const today = oracle.calendar.day(now())
  const monthStart = (day: string) => `${day.slice(0, 7)}-01`
  const some = () => draw.pick(eventDays)
  const ranges: Pick<Wanted, 'from' | 'to' | 'by'>[] = [
    { from: today, to: today },
    { from: plusDays(today, -6), to: today, by: 'day' },
    { from: plusDays(today, -draw.below(9)), to: today },
    { from: mondayOf(today), to: today },
    { from: mondayOf(today), to: today, by: 'week' },
    { from: monthStart(today), to: today },
    { from: monthStart(today), to: today, by: 'month' },
    { from: monthStart(plusDays(monthStart(today), -1)), to: today },
    { from: plusDays(today, -2), to: plusDays(today, 3) },
    // Ranges right after days with events, so that the previous period has events.
    ...[1, 2, 7].map((days) => {
      const from = plusDays(some(), 1 + draw.below(days))
      return { from, to: plusDays(from, days - 1) }
    }),
    { from: plusDays(monthStart(plusDays(monthStart(some()), 31)), 0), to: plusDays(monthStart(some()), 27) },
    ...[some()].map((day) => {
      const from = monthStart(plusDays(monthStart(day), 31))
      return { from, to: plusDays(monthStart(plusDays(from, 31)), -1) }
    }),
    // Ranges one year after them, by days and by months.
    ...[some()].map((day) => ({ from: plusDays(day, 364 - draw.below(3)), to: plusDays(day, 364 + draw.below(3)) })),
    ...[some()].map((day) => {
      const from = monthStart(plusDays(monthStart(day), 370))
      return { from, to: plusDays(monthStart(plusDays(from, 31)), -1) }
    }),
  ]
  for (const range of ranges.filter(({ from, to }) => from <= to))
    for (const compare of ['previous', 'year'] as const) await one(asked, now, { ...range, compare })
}

async function one(
  { oracle, get, draw, comparison }: Asked,
  now: () => number,
  range: Omit<Wanted, 'now'>,
): Promise<void> {
  const { calendar } = oracle
  const interval = daysBetween(range.from, range.to).length <= 31 ? draw.pick(['hour', 'day', 'week'] as const) : 'day'
  const path = `/stats?${new URLSearchParams(JSON.parse(JSON.stringify({ ...range, interval })))}`
  let answer: Answer
  let minute: number
  // The comparison ends at the current minute, so retry if the minute changed during the request.
  do {
    minute = Math.floor(now() / 60_000)
    answer = await get(path)
  } while (minute !== Math.floor(now() / 60_000))
  const earlier = comparedDays(calendar, { ...range, now: minute * 60_000 })
  const { from, to } = earlier
  const until = earlier.until?.at
  const previous = answer.previous as Answer
  const what = `${path} at ${new Date(minute * 60_000).toISOString()}`
  comparison.equal(`${what}: previous`, previous, {
    range: { from, to },
    aligned: { by: earlier.by, back: earlier.back },
    untilTime: earlier.until?.time ?? null,
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    ...oracle.figures(from, to, until),
    days: oracle.days(from, to, until),
  })
  for (const [edge, day, before] of [
    ['from', from, plusDays(from, -1)],
    ...(until === undefined ? [['until', plusDays(to, 1), to] as const] : []),
  ] as const) {
    const at = Date.parse(String(previous?.[edge]))
    comparison.one(`${what}: ${edge}`, [calendar.day(at), calendar.day(at - 1)], [day, before])
  }
  const aside = (previous.aside as { reason: string; currency: string | null; purchases: number; gross: number }[]).map(
    ({ reason, currency, purchases, gross }) => [JSON.stringify([reason, currency]), { purchases, gross }],
  )
  comparison.one(`${what}: set aside`, Object.fromEntries(aside), oracle.aside(from, to, until))
  const types = new Map(oracle.types(from, to, until).map(({ type, count }) => [type, count]))
  for (const { type, previous } of answer.eventsByType as { type: string; previous: number }[])
    comparison.one(`${what}: ${type} before`, previous, types.get(type) ?? 0)

  const { points } = answer.series as { points: Bucket[] }
  const named = interval === 'hour' ? 'at' : 'date'
  const own =
    interval === 'day'
      ? Object.fromEntries(oracle.days(from, to, until).map(({ date, events }) => [date, events]))
      : oracle.buckets(from, to, interval, until)
  const filled = (previous.points as Bucket[]).filter(({ events }) => events > 0)
  comparison.one(
    `${what}: buckets before`,
    Object.fromEntries(filled.map((point) => [point[named], point.events])),
    Object.fromEntries(Object.entries(own).filter(([, events]) => events > 0)),
  )
  const partners = points.map((point) => partner(point, points))
  comparison.one(
    `${what}: what each bucket is compared with`,
    points.map(({ previous }) => previous && [previous.date, previous.events]),
    partners,
  )

  function partner(point: Bucket, points: Bucket[]): [string, number] | null {
    if (interval === 'week') {
      const days = daysBetween(point.date, plusDays(point.date, 6))
        .filter((day) => range.from <= day && day <= range.to)
        .flatMap((day) => counterpartDay(day, earlier) ?? [])
        .filter((day) => day <= to)
      if (days.length === 0) return null
      const events = days.map((day) => oracle.figures(day, day, day === to ? until : undefined).totalEvents)
      return [days[0]!, events.reduce((sum, count) => sum + count, 0)]
    }
    const day = counterpartDay(point.date, earlier)
    if (day === null || day > to) return null
    if (interval === 'day') return [day, oracle.figures(day, day, day === to ? until : undefined).totalEvents]
    const hourOf = (at: string) => calendar.time(Date.parse(at)).slice(0, 2)
    const alike = (all: Bucket[], date: string, hour: string) =>
      all.filter((other) => other.date === date && hourOf(other.at) === hour).map(({ at }) => at)
    const place = alike(points, point.date, hourOf(point.at)).indexOf(point.at)
    const hours = hoursOf(day)
    const found = hours.filter((start) => calendar.time(start).slice(0, 2) === hourOf(point.at))[place]
    if (found === undefined || (day === to && until !== undefined && found >= until)) return null
    const all = oracle.buckets(day, day, 'hour', day === to ? until : undefined)
    return [day, all[new Date(found).toISOString()] ?? 0]
  }

  /** The starts of all hours of a day. */
  function hoursOf(day: string): number[] {
    const start = Date.parse(`${day}T00:00:00Z`) - 86_400_000
    const quarters = Array.from({ length: 3 * 96 }, (_, quarter) => start + quarter * 900_000)
    return [...new Set(quarters.filter((at) => calendar.day(at) === day).map((at) => calendar.hour(at)))]
  }
}
