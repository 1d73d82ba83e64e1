import { Link, useLocation } from '@remix-run/react'
import type { Point } from '../../trpc/schema/stats.ts'
import { LineChart } from '../charts/line-chart.tsx'
import { bucketName, isLong, timeTicks } from '../charts/ticks.ts'
import { changeOf, formatCompact, formatCount, plural, signedChange } from '../format/number.ts'
import { dayIn, formatClock, formatRange, formatShortDay, formatShortRange, weekdayOf } from '../format/time.ts'
import { AsTable } from '../parts/as-table.tsx'
import { Card } from '../parts/card.tsx'
import { comparedName, comparedShortName, counterpartName } from '../range/compared.ts'
import { addDays, countDays } from '../range/days.ts'
import type { Interval } from '../range/range.ts'
import { longestOf, withParams } from '../range/range.ts'
import type { Drawing } from './drawing.ts'

const names = { hour: 'Hour', day: 'Day', week: 'Week' } as const

/** Points up to the last one that has begun, or that has events from a client whose clock is fast. */
export function begunPoints(points: readonly Point[], now: string): Point[] {
  return points.slice(0, points.findLastIndex((point) => point.events > 0 || point.at <= now) + 1)
}

export function EventsChart({ overview, now, className }: { overview: Drawing; now: string; className: string }) {
  const { series, previous, range, site } = overview
  const { interval, points } = series
  const today = dayIn(now, site.timeZone)
  const begun = begunPoints(points, now)
  const title = `Events Per ${names[interval]}`
  const before = previous ? points.map((point) => point.previous ?? null) : null
  const was = (index: number) => {
    const point = before?.[index]
    return point && previous
      ? { ...point, name: counterpartName(point, interval, { period: previous, today, zone: site.timeZone }) }
      : null
  }
  const long = isLong(points)
  const name = (point: Point | undefined) =>
    point ? bucketName(point, interval, { zone: site.timeZone, weekday: weekdayOf(point.date), long }) : ''
  const last = begun.at(-1)
  const lastBefore = before?.[begun.length - 1]
  const saidOf = (index: number) => {
    const point = begun[index]
    return point ? `${plural(point.events, 'event')}${point.partial ? ', not complete' : ''}` : 'not begun'
  }
  const versus = (index: number) => {
    const point = begun[index]
    const counterpart = was(index)
    if (!counterpart) return before && point ? 'Nothing to compare with' : ''
    const { name, events } = counterpart
    return `${name}: ${formatCount(events)}${point ? ` (${signedChange(changeOf(point.events, events))})` : ''}`
  }
  return (
    <Card
      title={title}
      className={className}
      aside={<IntervalChoice interval={interval} days={countDays(range.from, range.to)} />}
      footer={
        <AsTable
          title={title}
          columns={[
            { name: names[interval] },
            { name: 'Events', number: true },
            ...(before
              ? [{ name: 'Compared with' }, { name: 'Before', number: true }, { name: 'Change', number: true }]
              : []),
          ]}
          rows={begun
            .map((point, index) => {
              const counterpart = was(index)
              const events = counterpart?.events ?? null
              return [
                `${name(point)}${point.partial ? ' (not complete)' : ''}`,
                formatCount(point.events),
                ...(before
                  ? [
                      counterpart?.name ?? '–',
                      events === null ? '–' : formatCount(events),
                      signedChange(changeOf(point.events, events)),
                    ]
                  : []),
              ]
            })
            .reverse()}
        />
      }
    >
      <div className="legend">
        <span>
          <i />
          {formatShortRange(range.from, range.to)}
        </span>
        {previous && (
          <span>
            <i className="before" />
            {comparedShortName({ period: previous, today, zone: site.timeZone })}
          </span>
        )}
        {last?.partial && (
          <span>
            <i className="partial" />
            not complete
          </span>
        )}
      </div>
      <LineChart
        label={sentence(overview, title, today)}
        pointerLabel={`${title}, bucket by bucket`}
        values={begun.map((point) => point.events)}
        count={points.length}
        before={before?.map((point) => point?.events ?? null) ?? null}
        lastIsPartial={Boolean(last?.partial) && (begun.length > 1 || points.length === 1)}
        xTicks={timeTicks(points, interval, site.timeZone)}
        formatTick={formatCompact}
        end={{
          value: formatCount(last?.events ?? 0),
          name: last ? endName(last, interval, { now, zone: site.timeZone }) : '',
        }}
        endBefore={lastBefore ? { value: formatCount(lastBefore.events), name: 'before' } : null}
        tipLines={(index) => (
          <>
            <b>{name(points[index])}</b>
            {saidOf(index)}
            {versus(index) && <span className="faint block">{versus(index)}</span>}
          </>
        )}
        describe={(index) => `${name(points[index])}: ${saidOf(index)}. ${versus(index)}`}
      />
    </Card>
  )
}

/** Label for the last bucket, beside the line: "14:00", "22 Nov", "this week". */
export function endName(point: Point, interval: Interval, { now, zone }: { now: string; zone: string }): string {
  if (interval === 'hour') return formatClock(point.at, zone)
  const today = dayIn(now, zone)
  if (interval === 'week' && point.date <= today && today <= addDays(point.date, 6)) return 'this week'
  return formatShortDay(point.date)
}

/** Describes the chart for screen readers. */
function sentence({ totalEvents, previous, range, site }: Drawing, title: string, today: string): string {
  const change = changeOf(totalEvents, previous?.totalEvents ?? null)
  const moved = !change
    ? ''
    : change.direction === 'same'
      ? ', the same as before'
      : `, ${change.direction} ${change.text} on ${previous && comparedName({ period: previous, today, zone: site.timeZone })}`
  return `${title}, ${formatRange(range.from, range.to)}. Total ${formatCount(totalEvents)}${moved}. The numbers follow as a table.`
}

function IntervalChoice({ interval, days }: { interval: Interval; days: number }) {
  const { search } = useLocation()
  return (
    <nav className="seg" aria-label="Interval">
      {(Object.keys(names) as Interval[]).map((name) =>
        days > longestOf[name] ? (
          <span key={name} aria-disabled="true" title={`${names[name]}s are shown for at most ${longestOf[name]} days`}>
            {names[name]}
            <span className="sr-only"> is for at most {longestOf[name]} days</span>
          </span>
        ) : (
          <Link
            key={name}
            to={withParams(search, { interval: name })}
            aria-current={interval === name ? 'true' : undefined}
            preventScrollReset
            replace
          >
            {names[name]}
          </Link>
        ),
      )}
    </nav>
  )
}
