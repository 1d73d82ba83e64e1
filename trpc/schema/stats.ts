import { z } from 'zod'
import { asideSum, askedDay, day, freshness, money, site, siteParam } from './common.ts'

/** What the days of a range make up together, by which the period before it is found. */
export const rangeUnit = z.enum(['day', 'week', 'month'])
export type RangeUnit = z.infer<typeof rangeUnit>

/**
 * Days are of the site's zone and inclusive; without them the answer covers the whole history, of a longer one the last
 * 3660 days (range says which). allTime always counts everything.
 */
export const overviewInput = z
  .object({
    ...siteParam,
    from: askedDay.optional(),
    to: askedDay.optional(),
    compare: z.enum(['none', 'previous', 'year']).default('none').meta({
      description:
        'previous: the period just before. year: a year before, of days the same weekdays (364 days), of months the same months. A range that is not over is compared up to the same minute of its last day.',
    }),
    by: rangeUnit.optional().meta({
      description:
        'What the range is made of, for the comparison. Without it whole months, and days from the first of a month to today, are months; days from a Monday to today are a week; all else is days.',
    }),
    interval: z.enum(['hour', 'day', 'week']).default('day'),
  })
  .refine((range) => !range.from || !range.to || range.from <= range.to, {
    path: ['to'],
    error: 'must not be before from',
  })
export type OverviewInput = z.input<typeof overviewInput>

export const dayRange = z.object({ from: day, to: day })
export type DayRange = z.infer<typeof dayRange>

const count = z.number().int().nonnegative()

/** The figures of one range. avgEventsPerUser (one decimal) and conversion (0..1) are null where their base is 0. */
export const figures = z.object({
  totalUsers: count,
  totalEvents: count,
  avgEventsPerUser: z.number().nullable(),
  sessions: count,
  orderingSessions: count,
  orders: count,
  conversion: z.number().nullable(),
  money: z.array(money),
  /** Most first. */
  aside: z.array(asideSum),
})
export type Figures = z.infer<typeof figures>

/** One bucket of a chart; at is its first instant (UTC), date its day in the site's zone. */
export const point = z.object({ at: z.iso.datetime(), date: day, events: count, partial: z.boolean() })
export type Point = z.infer<typeof point>

/** What a bucket is compared with: the same hour on the wall, the same day, or the days that those of a week are compared with. */
export const counterpart = point.extend({
  /** Its last day. */
  to: day,
})
export type Counterpart = z.infer<typeof counterpart>

/** One day's figures, for sparklines and the daily table; money is per currency. */
export const dayFigures = z.object({
  date: day,
  events: count,
  users: count,
  sessions: count,
  orderingSessions: count,
  orders: count,
  money: z.array(money),
})
export type DayFigures = z.infer<typeof dayFigures>

/** The period that a range is compared with. Days are inclusive, instants UTC. */
const comparedPeriod = z.object({
  range: dayRange,
  /** Its first instant. */
  from: z.iso.datetime(),
  /** The instant at which it ends, and which is no longer of it. */
  until: z.iso.datetime(),
  /** What the wall shows at `until`, such as "17:32", where that is within the last day; null for whole days. */
  untilTime: z.string().nullable(),
  aligned: z.object({
    by: rangeUnit,
    /** So many months earlier, or so many days. */
    back: count,
  }),
})
export type ComparedPeriod = z.infer<typeof comparedPeriod>

/** not_kept: the events of its last day are dropped. too_many: there are too many to count in time. busy: others are counted. */
export const missingReason = z.enum(['not_kept', 'too_many', 'busy'])
export type MissingReason = z.infer<typeof missingReason>

export const overview = figures.extend({
  site,
  range: dayRange,
  /** Descending by count. previous is present when compare is not "none". */
  eventsByType: z.array(z.object({ type: z.string(), count, previous: count.optional() })),
  /** Ascending, every day of the range, days without events as 0. */
  eventsByDay: z.array(z.object({ date: day, count })),
  days: z.array(dayFigures),
  series: z.object({
    interval: z.enum(['hour', 'day', 'week']),
    /** previous is there beside a comparison: what the bucket is compared with, null where there is nothing like it. */
    points: z.array(point.extend({ previous: counterpart.nullable().optional() })),
  }),
  /** The figures of the period to compare with; its own days and buckets, of which the last may be cut at `until`. */
  previous: figures
    .extend(comparedPeriod.shape)
    .extend({ days: z.array(dayFigures), points: z.array(point) })
    .optional(),
  /** In place of previous where its last day cannot be counted up to the moment; message says why and what helps. */
  previousMissing: comparedPeriod.extend({ reason: missingReason, message: z.string() }).optional(),
  /** Over the whole history: tells an empty store from an empty range. */
  allTime: z.object({
    events: count,
    users: count,
    firstDay: day.nullable(),
    /** After today where a clock runs ahead. */
    lastDay: day.nullable(),
    lastEventAt: z.iso.datetime().nullable(),
  }),
  freshness,
})
export type Overview = z.infer<typeof overview>

/**
 * With `known`, the mark of an earlier answer, the answer comes when the mark is another one or `behind` no longer holds,
 * and after twenty seconds in any case.
 */
export const pulseInput = z
  .object({ ...siteParam, known: z.string().max(64).optional(), behind: z.boolean().default(false) })
  .optional()
/** A cheap pulse: its mark is another one whenever a figure may have changed. */
export const pulse = z.object({
  mark: z.string(),
  /** Events have been waiting for longer than a moment. */
  behind: z.boolean(),
  today: day,
  now: z.iso.datetime(),
  freshness,
})
export type Pulse = z.infer<typeof pulse>

export const siteInput = z.object(siteParam).optional()

/** The shop, and which day it has there now: pages need it to say what "today" and "last 30 days" are. */
/** clock: of the shop's zone, see clock.ts; pages reckon by it and not by the rules of a browser. */
export const siteToday = site.extend({ today: day, clock: z.string() })
export type SiteToday = z.infer<typeof siteToday>
