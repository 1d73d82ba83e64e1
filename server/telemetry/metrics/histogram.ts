/** Upper bounds in seconds: from a post of events (well under a millisecond) to a question that times out. */
export const secondsBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]
/** Upper bounds in seconds for what may wait through an outage. */
export const ageBounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400]
/** Upper bounds for events in a commit or a batch. */
export const countBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]

/**
 * Counts measurements in buckets. A few nanoseconds each, without an allocation, so that it may stand in the way of
 * every request; OpenTelemetry's own histograms look attributes up for each and cost some hundred times as much.
 */
export class Histogram {
  /** Ascending; a measurement belongs to the first bound that is not below it, else to the last bucket. */
  readonly bounds: readonly number[]
  /** One more than the bounds. */
  readonly buckets: Float64Array
  count = 0
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.buckets = new Float64Array(bounds.length + 1)
  }

  /** `times` is how many measurements had this value. */
  add(value: number, times = 1): void {
    let low = 0
    let high = this.bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value <= this.bounds[middle]!) high = middle
      else low = middle + 1
    }
    this.buckets[low]! += times
    this.count += times
    this.sum += value * times
  }
}

/** Histograms of one metric that differ in their attributes, of which each has few values. */
export class HistogramSeries<Names extends readonly string[]> {
  readonly #names: Names
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, { values: readonly string[]; histogram: Histogram }>()

  constructor(names: Names, bounds: readonly number[]) {
    this.#names = names
    this.#bounds = bounds
  }

  /** The histogram with these values of the attributes, in the order of their names; '' for an attribute left out. */
  of(...values: { [Name in keyof Names]: string }): Histogram {
    const key = values.join('\n')
    let found = this.#series.get(key)
    if (!found) {
      found = { values, histogram: new Histogram(this.#bounds) }
      this.#series.set(key, found)
    }
    return found.histogram
  }

  *[Symbol.iterator](): Generator<{ attributes: Record<string, string>; histogram: Histogram }> {
    for (const { values, histogram } of this.#series.values()) {
      const attributes: Record<string, string> = {}
      for (const [index, value] of values.entries()) if (value !== '') attributes[this.#names[index]!] = value
      yield { attributes, histogram }
    }
  }
}

/**
 * The value below which this share of the measurements lies, as far as buckets can tell: spread evenly within one, and
 * the last bound for all above it. null without measurements.
 */
export function quantile({ bounds, buckets }: Pick<Histogram, 'bounds' | 'buckets'>, share: number): number | null {
  let count = 0
  for (const inBucket of buckets) count += inBucket
  if (count === 0) return null
  let wanted = share * count
  for (const [index, inBucket] of buckets.entries()) {
    if (wanted > inBucket) {
      wanted -= inBucket
      continue
    }
    const high = bounds[index]
    if (high === undefined) break
    const low = index === 0 ? 0 : bounds[index - 1]!
    return inBucket === 0 ? low : low + ((high - low) * wanted) / inBucket
  }
  return bounds.at(-1)!
}
