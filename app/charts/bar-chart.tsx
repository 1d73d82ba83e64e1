import { BarSeries } from '@visx/xychart'
import type { ReactNode } from 'react'
import { useMemo } from 'react'
import { Drawing, placeX, placeY } from './drawing.tsx'
import { Plot } from './plot.tsx'
import type { TimeTick } from './ticks.ts'
import { valueTicks } from './ticks.ts'

/** One bar a bucket, from zero. */
export function BarChart({
  label,
  pointerLabel,
  values,
  xTicks,
  formatTick,
  tipLines,
  describe,
}: {
  label: string
  pointerLabel: string
  values: number[]
  xTicks: TimeTick[]
  formatTick: (value: number) => string
  tipLines: (index: number) => ReactNode
  describe: (index: number) => string
}) {
  const ticks = valueTicks(Math.max(0, ...values))
  const series = useMemo(() => ({ bars: values.map((value, index) => ({ index, value })) }), [values])
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
          dataKey="bars"
          data={series.bars}
          xAccessor={placeX}
          yAccessor={placeY}
          colorAccessor={() => 'var(--bar-fill)'}
          enableEvents={false}
        />
      </Drawing>
    </Plot>
  )
}
