import { setImmediate } from 'node:timers/promises'
import { type Earlier, earlierPeriod } from '../server/analysis/comparison.ts'
import { counterpartsOf } from '../server/analysis/counterparts.ts'
import { dayPoints, figuresOf, fillDays, hourPoints, weekPoints } from '../server/analysis/overview.ts'
import { addDays, dayStart } from '../server/analysis/zones.ts'
import type { OverviewRow } from '../server/store/store.ts'
import type { Context } from './init.ts'
import type {
  ComparedPeriod,
  Counterpart,
  DayFigures,
  DayRange,
  MissingReason,
  Overview,
  Point,
  RangeUnit,
} from './schema/stats.ts'

const LONG_DAYS = 400

export type Interval = 'hour' | 'day' | 'week'

interface Asked {
  compare: 'previous' | 'year'
  interval: Interval
  by?: RangeUnit | undefined
  now: number
}

type Compared = Pick<Overview, 'previous' | 'previousMissing'> & {
  types: OverviewRow['types']
  /** Of each bucket of the range. */
  counterparts: (Counterpart | null)[] | null
}

/** The figures of the period that a range is compared with, and what each bucket of the range is compared with. */
export async function compare(ctx: Context, range: DayRange, asked: Asked, ofRange: Point[]): Promise<Compared> {
  const { site, store } = ctx
  const zone = site.timeZone
  const { now } = asked
  const earlier = earlierPeriod({ range, with: asked.compare, by: asked.by ?? null, zone, now })
  const period = periodOf(earlier, zone)
  const days = { from: earlier.from, to: earlier.to }
  const row = earlier.until
    ? await store.overviewUntil({ siteId: site.id, ...days, until: earlier.until.at })
    : { ...(await store.overview({ siteId: site.id, ...days })), lastHour: null }
  if ('missing' in row) {
    const message = messageOf(row.missing, earlier)
    return { types: [], counterparts: null, previousMissing: { ...period, reason: row.missing, message } }
  }
  await turn(row.days)
  const filled = fillDays(row.days, earlier.from, earlier.to)
  const points = await pointsOf(
    ctx,
    days,
    filled,
    asked.interval,
    earlier.until && { ...earlier.until, lastHour: row.lastHour ?? 0 },
  )
  const { interval } = asked
  await turn(filled)
  return {
    types: row.types,
    counterparts: counterpartsOf({
      ...{ interval, range, points: ofRange, earlier, zone },
      ...{ earlierPoints: points, earlierDays: filled },
    }),
    previous: { ...figuresOf(row), ...period, days: filled, points },
  }
}

/** Thousands of days take milliseconds at every step: others get a turn in between. */
export async function turn(days: readonly unknown[]): Promise<void> {
  if (days.length > LONG_DAYS) await setImmediate()
}

function periodOf(earlier: Earlier, zone: string): ComparedPeriod {
  const end = earlier.until?.at ?? dayStart(zone, addDays(earlier.to, 1))
  return {
    range: { from: earlier.from, to: earlier.to },
    from: new Date(dayStart(zone, earlier.from)).toISOString(),
    until: new Date(end).toISOString(),
    untilTime: earlier.until?.time ?? null,
    aligned: { by: earlier.by, back: earlier.back },
  }
}

const advice = 'Choose a period that ends before today, or no comparison.'

function messageOf(reason: MissingReason, { to, until }: Earlier): string {
  const moment = `${to} up to ${until?.time}`
  if (reason === 'not_kept')
    return `The events of ${moment} are not kept any more, so they cannot be counted. ${advice}`
  if (reason === 'too_many') return `There are too many events of ${moment} to count them in time. ${advice}`
  return `The events of ${moment} are not counted yet: others are just being counted. Ask again in a moment.`
}

/** Buckets of days. With `until` they end there: the hour that it cuts has `lastHour` events. */
export async function pointsOf(
  ctx: Context,
  range: DayRange,
  days: DayFigures[],
  interval: Interval,
  until: { at: number; lastHour: number } | null,
): Promise<Point[]> {
  const { timeZone, id } = ctx.site
  const now = until?.at ?? ctx.now()
  if (interval === 'day') return dayPoints(days, timeZone, now)
  if (interval === 'week') return weekPoints(days, timeZone, now)
  const hours = await ctx.store.hours({ siteId: id, ...range })
  const points = hourPoints(hours, range.from, range.to, timeZone, now)
  if (!until) return points
  const begun = points.filter(({ at }) => Date.parse(at) < until.at)
  return begun.map((point, index) =>
    index === begun.length - 1 && point.partial ? { ...point, events: until.lastHour } : point,
  )
}
