/** Gap between bars as a share of a bar and its gap; many bars have none, or there would be only gaps. */
export function barGap(count: number): number {
  return count > 120 ? 0 : 0.14
}

/** As many bars at least share the width, so that one day alone does not become a wall. */
const MIN_BARS = 12

/** Room left and right of the bars, in bars. */
export function barMargin(count: number): number {
  return Math.max(0, (MIN_BARS - count) / 2)
}

/** Where the middle of a bucket is, as a share 0..1 of the width. */
export function bucketAt(index: number, count: number, bars: boolean): number {
  if (!bars) return count > 1 ? index / (count - 1) : 0.5
  const gap = barGap(count)
  const margin = barMargin(count)
  return (margin + index + (1 - gap) / 2) / (count - gap + 2 * margin)
}

/** The bucket at a share of the width, the nearest where there is none. */
export function bucketUnder(share: number, count: number, bars: boolean): number {
  const index = bars
    ? Math.floor(share * (count - barGap(count) + 2 * barMargin(count)) - barMargin(count))
    : Math.round(share * (count - 1))
  return Math.min(count - 1, Math.max(0, index))
}
