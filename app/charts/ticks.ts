import { dayIn, formatClock, formatDay, formatMonth, formatShortDay, formatTime, spansYears } from '../format/time.ts'

/** Gridline values from 0 to a round number at or above max: whole numbers, at most four including 0. */
export function valueTicks(max: number): number[] {
  if (max <= 0) return [0, 1]
  const rough = max / 3
  const size = 10 ** Math.floor(Math.log10(rough))
  const nice = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * size >= rough - 1e-9) ?? 10
  const step = Math.max(1, Math.ceil(nice * size))
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step)
}

export interface TimeTick {
  index: number
  label: string
  /** Hidden on narrow screens. */
  optional: boolean
}

interface Bucket {
  at: string
  date: string
}

/** Maximum number of labels on wide and narrow screens; labels with month and year take more space than days. */
const MAX_TICKS = { days: 8, months: 6 }
const MAX_NARROW_TICKS = { days: 3, months: 2 }
const HOURS = 24

/** At most eight labels, aligned to the last bucket. Hourly buckets: midnights, or every 4 h of a single day. */
export function timeTicks(points: readonly Bucket[], interval: 'hour' | 'day' | 'week', zone: string): TimeTick[] {
  const long = isLong(points)
  const unit = long ? 'months' : 'days'
  const indexes =
    interval === 'hour' ? hourIndexes(points, zone) : steppedIndexes(points.length, interval, MAX_TICKS[unit])
  const apart = Math.ceil(indexes.length / MAX_NARROW_TICKS[unit])
  return indexes.map((index, place) => {
    const point = points[index]
    const label = !point
      ? ''
      : interval === 'hour' && isOneDay(points)
        ? formatTime(point.at, zone)
        : long
          ? formatMonth(point.date)
          : formatShortDay(point.date)
    return { index, label, optional: (indexes.length - 1 - place) % apart !== 0 }
  })
}

/** Whether the buckets can only be told apart with their year. */
export function isLong(points: readonly Bucket[]): boolean {
  const [first, last] = [points[0], points.at(-1)]
  return first !== undefined && last !== undefined && spansYears(first.date, last.date)
}

function isOneDay(points: readonly Bucket[]): boolean {
  return points[0]?.date === points.at(-1)?.date
}

function steppedIndexes(count: number, interval: 'day' | 'week', max: number): number[] {
  const steps = interval === 'day' ? [1, 7, 14, 28, 56, 91, 182, 364] : [1, 2, 4, 8, 13, 26, 52]
  const step = steps.find((size) => Math.ceil(count / size) <= max) ?? Math.ceil(count / max)
  return fromLast(count, step)
}

function fromLast(count: number, step: number): number[] {
  const indexes: number[] = []
  for (let index = count - 1; index >= 0; index -= step) indexes.unshift(index)
  return indexes
}

function hourIndexes(points: readonly Bucket[], zone: string): number[] {
  const hours = points.map((point) => Number(formatTime(point.at, zone).slice(0, 2)))
  if (isOneDay(points)) return points.map((_, index) => index).filter((index) => (hours[index] ?? 1) % 4 === 0)
  // First bucket of each day: usually midnight, or 01:00 on a day whose midnight a clock change skips.
  const starts = points.map((_, index) => index).filter((i) => i === 0 || points[i]?.date !== points[i - 1]?.date)
  if (points.length <= 2 * HOURS) return starts
  return fromLast(starts.length, Math.ceil(starts.length / MAX_TICKS.days)).map((place) => starts[place] ?? 0)
}

/** A bucket's name in tooltips and tables: "Thu 19 Nov", "19 Nov, 14:00", "Week of 16 Nov"; `long` adds the year. */
export function bucketName(
  point: Bucket,
  interval: 'hour' | 'day' | 'week',
  { zone, weekday, long }: { zone: string; weekday: string; long: boolean },
): string {
  const day = long ? formatDay(point.date) : formatShortDay(point.date)
  if (interval === 'week') return `Week of ${day}`
  if (interval === 'hour') return `${formatShortDay(dayIn(point.at, zone))}, ${formatClock(point.at, zone)}`
  return `${weekday.slice(0, 3)} ${day}`
}
