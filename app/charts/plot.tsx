import type { KeyboardEvent, PointerEvent, ReactNode } from 'react'
import { useState } from 'react'
import { useHydrated } from '../hydrated.ts'
import { bucketAt, bucketUnder } from './places.ts'
import type { TimeTick } from './ticks.ts'

export interface PlotTick {
  value: number
  label: string
}

/**
 * The frame around a chart: gridline labels, time labels and a tooltip for one bucket at a time, reached by mouse,
 * touch or arrow keys. Labels are HTML, not SVG, so that they keep their size when the drawing is stretched.
 */
export function Plot({
  label,
  pointerLabel,
  height,
  left,
  right,
  count,
  bars = false,
  yTicks,
  xTicks,
  children,
  after,
  tip,
  describe,
}: {
  /** A sentence that describes the chart to screen readers. */
  label: string
  pointerLabel: string
  height: number
  left: number
  right: number
  count: number
  bars?: boolean
  yTicks: PlotTick[]
  xTicks: TimeTick[]
  children: ReactNode
  after?: ReactNode
  /** The tooltip's content for a bucket, and the marks on the series. */
  tip: (index: number) => { lines: ReactNode; marks?: ReactNode }
  describe: (index: number) => string
}) {
  const hydrated = useHydrated()
  const [pointed, setPointed] = useState<number | null>(null)
  const active = pointed !== null && pointed < count ? pointed : null
  const max = yTicks.at(-1)?.value ?? 1

  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
    setPointed(bucketUnder(share, count, bars))
  }
  const onKey = (event: KeyboardEvent) => {
    const now = active ?? count - 1
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: count - 1 }[event.key]
    if (event.key === 'Escape') setPointed(null)
    else if (next !== undefined) setPointed(Math.min(count - 1, Math.max(0, next)))
    else return
    event.preventDefault()
  }
  const shown = active === null ? null : tip(active)
  const at = active === null ? 0 : bucketAt(active, count, bars)
  return (
    <div
      className="plot"
      style={{ '--plot-height': `${height}px`, '--plot-left': `${left}px`, '--plot-right': `${right}px` } as never}
    >
      <div className="drawing" role="img" aria-label={label}>
        {children}
        {yTicks.map((tick) => (
          <span key={tick.value} className="y" style={{ top: `${100 - (tick.value / max) * 100}%` }}>
            {tick.label}
          </span>
        ))}
        {xTicks.map((tick) => {
          const share = bucketAt(tick.index, count, bars)
          const isLast = count > 1 && tick.index === count - 1
          const edge = isLast ? ' last' : share < 0.03 ? ' first' : ''
          return (
            <span
              key={tick.index}
              className={`x${edge}${tick.optional ? ' opt' : ''}`}
              style={{ left: `${isLast ? 100 : share * 100}%` }}
            >
              {tick.label}
            </span>
          )
        })}
        {after}
      </div>
      {shown && (
        <>
          <i className="hairline" style={{ left: `${at * 100}%` }} />
          {shown.marks}
          <div
            className="tip"
            style={at > 0.55 ? { right: `calc(${(1 - at) * 100}% + 12px)` } : { left: `calc(${at * 100}% + 12px)` }}
          >
            {shown.lines}
          </div>
        </>
      )}
      {hydrated && count > 0 && (
        <div
          className="pointer"
          role="slider"
          tabIndex={0}
          aria-label={pointerLabel}
          aria-orientation="horizontal"
          aria-valuemin={0}
          aria-valuemax={count - 1}
          aria-valuenow={active ?? count - 1}
          aria-valuetext={describe(active ?? count - 1)}
          onPointerMove={onPointer}
          onPointerDown={onPointer}
          // Lifting a finger also fires pointerleave; after a touch the tooltip stays until the chart loses focus.
          onPointerLeave={(event) => event.pointerType !== 'touch' && setPointed(null)}
          onKeyDown={onKey}
          onBlur={() => setPointed(null)}
        />
      )}
    </div>
  )
}
