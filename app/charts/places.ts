/** Gap between bars, as a share of bar plus gap. No gap with many bars: the bars would become too thin to see. */
export function barGap(count: number): number {
  return count > 120 ? 0 : 0.14
}

/** The width is divided among at least this many bars, so that a single day does not fill it. */
const MIN_BARS = 12

/** Space to the left and right of the bars, in bar widths. */
export function barMargin(count: number): number {
  return Math.max(0, (MIN_BARS - count) / 2)
}

/** Horizontal center of a bucket, as a share 0..1 of the width. */
export function bucketAt(index: number, count: number, bars: boolean): number {
  if (!bars) return count > 1 ? index / (count - 1) : 0.5
  const gap = barGap(count)
  const margin = barMargin(count)
  return (margin + index + (1 - gap) / 2) / (count - gap + 2 * margin)
}

/** Index of the bucket at a share 0..1 of the width, or of the nearest one. */
export function bucketUnder(share: number, count: number, bars: boolean): number {
  const index = bars
    ? Math.floor(share * (count - barGap(count) + 2 * barMargin(count)) - barMargin(count))
    : Math.round(share * (count - 1))
  return Math.min(count - 1, Math.max(0, index))
}
