import { BarSeries } from '@visx/xychart'
import type { ReactNode } from 'react'
import { useMemo } from 'react'
import { Drawing, placeX, placeY } from './drawing.tsx'
import { Plot } from './plot.tsx'
import type { TimeTick } from './ticks.ts'
import { valueTicks } from './ticks.ts'

/** One bar per bucket, starting at zero; part of each bar can be set off by color. */
export function BarChart({
  label,
  pointerLabel,
  values,
  parts = null,
  xTicks,
  formatTick,
  tipLines,
  describe,
}: {
  label: string
  pointerLabel: string
  values: number[]
  /** How much of each value belongs to the lower part of the bar; the rest is stacked on it in another color. */
  parts?: number[] | null
  xTicks: TimeTick[]
  formatTick: (value: number) => string
  tipLines: (index: number) => ReactNode
  describe: (index: number) => string
}) {
  const ticks = valueTicks(Math.max(0, ...values))
  const series = useMemo(() => {
    const places = (values: number[]) => values.map((value, index) => ({ index, value }))
    return { bars: places(values), ...(parts && { parts: places(parts) }) }
  }, [values, parts])
  const shared = { xAccessor: placeX, yAccessor: placeY, enableEvents: false }
  return (
    <Plot
      label={label}
      pointerLabel={pointerLabel}
      height={172}
      left={52}
      right={8}
      count={values.length}
      bars
      yTicks={ticks.map((value) => ({ value, label: formatTick(value) }))}
      xTicks={xTicks}
      tip={(index) => ({ lines: tipLines(index) })}
      describe={describe}
    >
      <Drawing series={series} count={values.length} ticks={ticks} bars>
        <BarSeries
          {...shared}
          dataKey="bars"
          data={series.bars}
          colorAccessor={() => (parts ? 'var(--c2)' : 'var(--bar-fill)')}
        />
        {series.parts && (
          <BarSeries {...shared} dataKey="parts" data={series.parts} colorAccessor={() => 'var(--bar-fill)'} />
        )}
      </Drawing>
    </Plot>
  )
}
