import { GridRows } from '@visx/grid'
import { scaleBand, scaleLinear } from '@visx/scale'
import { DataContext } from '@visx/xychart'
import type { ComponentProps, ReactNode } from 'react'
import { useMemo } from 'react'
import { barGap, barMargin } from './places.ts'

/** Size in SVG units. The SVG is stretched to the space available, so it needs no measuring and no second render. */
const drawingSize = 1000
const margin = { top: 0, right: 0, bottom: 0, left: 0 }

export interface Place {
  index: number
  value: number
}
export const placeX = (place: Place) => place.index
export const placeY = (place: Place) => place.value

type ChartContext = NonNullable<ComponentProps<typeof DataContext.Provider>['value']>

/**
 * Provides the context that the xychart series need to draw. xychart's own provider learns of the series only after
 * the first render, so on the server it draws nothing; this one knows the series and scales from the start.
 */
export function Drawing({
  series,
  count,
  ticks,
  bars = false,
  children,
}: {
  series: Record<string, readonly Place[]>
  /** Number of buckets along the x axis. */
  count: number
  /** Values of the gridlines: the first is 0, the last the top of the chart. */
  ticks: number[]
  bars?: boolean
  children: ReactNode
}) {
  const max = ticks.at(-1) ?? 1
  const y = useMemo(() => scaleLinear<number>({ domain: [0, max], range: [drawingSize, 0] }), [max])
  const value = useMemo(() => {
    const entries = Object.entries(series).map(([key, data]) => ({
      key,
      data: [...data],
      xAccessor: placeX,
      yAccessor: placeY,
    }))
    const x = bars
      ? scaleBand<number>({
          domain: Array.from({ length: count }, (_, index) => index),
          range: [0, drawingSize],
          paddingInner: barGap(count),
          paddingOuter: barMargin(count),
        })
      : scaleLinear<number>({ domain: [0, Math.max(1, count - 1)], range: [0, drawingSize] })
    const registry = {
      registerData: () => {},
      unregisterData: () => {},
      entries: () => entries,
      get: (key: string) => entries.find((entry) => entry.key === key),
      keys: () => entries.map((entry) => entry.key),
    }
    return {
      ...registry,
      dataRegistry: registry,
      xScale: x,
      yScale: y,
      horizontal: false,
      width: drawingSize,
      height: drawingSize,
      innerWidth: drawingSize,
      innerHeight: drawingSize,
      margin,
      setDimensions: () => {},
    } as unknown as ChartContext
  }, [series, count, y, bars])
  return (
    <svg viewBox={`0 0 ${drawingSize} ${drawingSize}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <GridRows scale={y} width={drawingSize} tickValues={ticks.slice(1)} stroke="var(--grid)" />
      <DataContext.Provider value={value}>{children}</DataContext.Provider>
      <GridRows scale={y} width={drawingSize} tickValues={[0]} stroke="var(--axis)" />
    </svg>
  )
}
