import { AreaSeries, LineSeries } from '@visx/xychart'
import type { ReactNode } from 'react'
import { useMemo } from 'react'
import type { Place } from './drawing.tsx'
import { Drawing, placeX, placeY } from './drawing.tsx'
import { bucketAt } from './places.ts'
import { Plot } from './plot.tsx'
import type { TimeTick } from './ticks.ts'
import { valueTicks } from './ticks.ts'

/** Label beside the last point of a line. */
export interface EndLabel {
  value: string
  name: string
}

/**
 * One series as a line with a light fill, and the comparison period as a dashed line on the same scale, bucket by
 * bucket. The segment to a last bucket that is not over yet is dashed as well.
 */
export function LineChart({
  label,
  pointerLabel,
  values,
  count,
  before,
  lastIsPartial,
  xTicks,
  formatTick,
  end,
  endBefore,
  tipLines,
  describe,
}: {
  label: string
  pointerLabel: string
  /** Only buckets that have begun. */
  values: number[]
  /** Number of buckets along the x axis, including future ones. */
  count: number
  /** The value each bucket is compared with; null where there is none. */
  before: (number | null)[] | null
  lastIsPartial: boolean
  xTicks: TimeTick[]
  formatTick: (value: number) => string
  end: EndLabel
  endBefore: EndLabel | null
  tipLines: (index: number) => ReactNode
  describe: (index: number) => string
}) {
  const done = values.length
  const ticks = valueTicks(Math.max(0, ...values, ...(before ?? []).map(Number)))
  const max = ticks.at(-1) ?? 1
  const series = useMemo(() => {
    const all = places(values, count)
    const cut = lastIsPartial ? done - 1 : done
    return {
      area: all,
      done: count === 1 ? (lastIsPartial ? [] : all) : all.slice(0, cut),
      open: lastIsPartial ? all.slice(count === 1 ? 0 : Math.max(0, cut - 1)) : [],
      before: places(before?.slice(0, count) ?? [], count),
    } satisfies Record<string, Place[]>
  }, [values, before, lastIsPartial, count, done])
  const shared = { xAccessor: placeX, yAccessor: placeY, enableEvents: false }
  const last = values.at(-1) ?? 0
  const lastBefore = before?.[done - 1]
  const labelAt = count === 1 ? '100%' : `${bucketAt(done - 1, count, false) * 100}%`
  const [endTop, beforeTop] = labelTops(1 - last / max, typeof lastBefore === 'number' ? 1 - lastBefore / max : null)
  return (
    <Plot
      label={label}
      pointerLabel={pointerLabel}
      height={236}
      left={44}
      right={74}
      count={count}
      yTicks={ticks.map((value) => ({ value, label: formatTick(value) }))}
      xTicks={xTicks}
      describe={describe}
      tip={(index) => ({
        lines: tipLines(index),
        marks: (
          <>
            {typeof before?.[index] === 'number' && (
              <Mark index={index} count={count} share={before[index] / max} before />
            )}
            {values[index] !== undefined && <Mark index={index} count={count} share={values[index] / max} />}
          </>
        ),
      })}
      after={
        <>
          <Mark index={done - 1} count={count} share={last / max} />
          <span className="end" style={{ left: labelAt, top: `${endTop * 100}%` }}>
            {end.value}
            <span>{end.name}</span>
          </span>
          {endBefore && beforeTop !== null && done === count && (
            <span className="end before" style={{ left: labelAt, top: `${beforeTop * 100}%` }}>
              {endBefore.value}
              <span>{endBefore.name}</span>
            </span>
          )}
        </>
      }
    >
      <Drawing series={series} count={count} ticks={ticks}>
        <AreaSeries
          {...shared}
          dataKey="area"
          data={series.area}
          fill="var(--c1)"
          fillOpacity={0.09}
          renderLine={false}
        />
        {before && (
          <LineSeries
            {...shared}
            dataKey="before"
            data={series.before}
            stroke="var(--compare)"
            strokeWidth={1.5}
            strokeDasharray="4 4"
          />
        )}
        <LineSeries {...shared} dataKey="done" data={series.done} stroke="var(--c1)" strokeWidth={2} />
        {lastIsPartial && (
          <LineSeries
            {...shared}
            dataKey="open"
            data={series.open}
            stroke="var(--c1)"
            strokeWidth={2}
            strokeDasharray="2 5"
          />
        )}
      </Drawing>
    </Plot>
  )
}

/** A single bucket is drawn as a line across the full width: a single point would hardly be visible. */
function places(values: readonly (number | null)[], count: number): Place[] {
  return (count === 1 ? values.flatMap((value) => [value, value]) : values).flatMap((value, index) =>
    value === null ? [] : [{ index, value }],
  )
}

function Mark({ index, count, share, before }: { index: number; count: number; share: number; before?: boolean }) {
  return (
    <i
      className={before ? 'mark before' : 'mark'}
      style={{ left: `${bucketAt(index, count, false) * 100}%`, top: `${(1 - share) * 100}%` }}
    />
  )
}

/** Vertical positions of the two lines' end labels, without overlap, as shares of the height from the top. */
function labelTops(a: number, b: number | null): [number, number | null] {
  const room = 0.14
  const lowest = 1 - room / 2
  if (b === null || Math.abs(a - b) >= room) return [Math.min(a, lowest), b === null ? null : Math.min(b, lowest)]
  const middle = Math.min(1 - room / 2, Math.max(room / 2, (a + b) / 2))
  return a <= b ? [middle - room / 2, middle + room / 2] : [middle + room / 2, middle - room / 2]
}
