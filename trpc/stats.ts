import { figuresOf, fillDays } from '../server/analysis/overview.ts'
import { addDays, clockText, dayNumber, dayOf } from '../server/analysis/zones.ts'
import { AppError } from '../server/errors.ts'
import { compare, type Interval, pointsOf, turn } from './compare.ts'
import { type Context, router, siteProcedure } from './init.ts'
import type { DayRange, Pulse } from './schema/stats.ts'
import { overview, overviewInput, pulse, pulseInput, siteInput, siteToday } from './schema/stats.ts'

const MAX_DAYS = 3660
const MAX_HOUR_DAYS = 31

export const statsRouter = router({
  overview: siteProcedure
    .meta({ openapi: { method: 'GET', path: '/stats', tags: ['Figures'], summary: 'Figures of a range of days' } })
    .input(overviewInput)
    .output(overview)
    .query(async ({ ctx, input }) => {
      const { store, site } = ctx
      const now = ctx.now()
      const today = dayOf(site.timeZone, now)
      const freshness = ctx.freshness()
      const totals = await store.totals(site.id)
      const to = input.to ?? later(today, totals.lastDay)
      const range = { from: input.from ?? wholeFrom(totals.firstDay ?? today, to), to }
      checkRange(range, input.interval)
      const row = await store.overview({ siteId: site.id, ...range })
      await turn(row.days)
      const days = fillDays(row.days, range.from, range.to)
      const figures = figuresOf(row)
      const points = await pointsOf(ctx, range, days, input.interval, null)
      const { compare: wanted, ...asked } = input
      const compared =
        wanted === 'none' ? undefined : await compare(ctx, range, { ...asked, compare: wanted, now }, points)
      const before = compared?.previous && new Map(compared.types.map((t) => [t.type, t.events]))
      const counterparts = compared?.counterparts
      await turn(days)
      return {
        ...figures,
        site,
        range,
        eventsByType: row.types
          .map((t) => ({ type: t.type, count: t.events, ...(before && { previous: before.get(t.type) ?? 0 }) }))
          .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1)),
        eventsByDay: days.map((d) => ({ date: d.date, count: d.events })),
        days,
        series: {
          interval: input.interval,
          points: counterparts
            ? points.map((point, index) => ({ ...point, previous: counterparts[index] ?? null }))
            : points,
        },
        ...(compared?.previous && { previous: compared.previous }),
        ...(compared?.previousMissing && { previousMissing: compared.previousMissing }),
        allTime: {
          events: totals.events,
          users: totals.users,
          firstDay: totals.firstDay,
          lastDay: totals.lastDay,
          lastEventAt: totals.lastReceivedAt === null ? null : new Date(totals.lastReceivedAt).toISOString(),
        },
        freshness,
      }
    }),

  site: siteProcedure
    .input(siteInput)
    .output(siteToday)
    .query(({ ctx }) => ({
      ...ctx.site,
      today: dayOf(ctx.site.timeZone, ctx.now()),
      clock: clockText(ctx.site.timeZone),
    })),

  pulse: siteProcedure
    .input(pulseInput)
    .output(pulse)
    .query(async ({ ctx, input, signal }) => {
      const { changes } = ctx
      const startedAt = performance.now()
      let mark = await changes.mark()
      for (;;) {
        const pulse = pulseNow(ctx, mark)
        const heldMs = performance.now() - startedAt
        const isNews = mark !== input?.known || pulse.behind !== input.behind
        const isLong = heldMs >= (pulse.behind ? HOLD_BEHIND_MS : HOLD_MS)
        if (isNews || isLong || changes.isEnding || signal?.aborted) return pulse
        mark = await changes.next()
      }
    }),
})

/** An answer that has nothing new waits so long for it; less while events wait, of which the page says how many. */
const HOLD_MS = 20_000
const HOLD_BEHIND_MS = 3000
/** What waits for less than this is only on its way. */
const BEHIND_MS = 2000

function pulseNow(ctx: Context, mark: string): Pulse {
  const now = ctx.now()
  const freshness = ctx.freshness()
  return {
    mark,
    behind: freshness.waiting > 0 && now - Date.parse(freshness.completeTo) > BEHIND_MS,
    today: dayOf(ctx.site.timeZone, now),
    now: new Date(now).toISOString(),
    freshness,
  }
}

function checkRange({ from, to }: DayRange, interval: Interval): void {
  if (from > to) throw new AppError('invalid_input', `from (${from}) must not be after to (${to}).`, { field: 'from' })
  const days = dayNumber(to) - dayNumber(from) + 1
  if (days > MAX_DAYS)
    throw new AppError('invalid_input', `from..to spans ${days} days; ask for at most ${MAX_DAYS}.`, { field: 'from' })
  if (interval === 'hour' && days > MAX_HOUR_DAYS)
    throw new AppError('invalid_input', `interval=hour takes at most ${MAX_HOUR_DAYS} days; ask for interval=day.`, {
      field: 'interval',
    })
}

/** The first day of the history up to a day. One event of a wrong clock must not make it longer than an answer may be. */
function wholeFrom(firstDay: string, to: string): string {
  const earliest = addDays(to, 1 - MAX_DAYS)
  if (firstDay < earliest) return earliest
  return firstDay < to ? firstDay : to
}

function later(a: string, b: string | null): string {
  return b !== null && b > a ? b : a
}
