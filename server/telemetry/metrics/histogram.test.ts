import { describe, expect, it } from 'vitest'
import { Histogram, HistogramSeries, quantile, secondsBounds } from './histogram.ts'

describe('a histogram', () => {
  it('puts a measurement into the first bucket whose bound is not below it', () => {
    const histogram = new Histogram([1, 2, 5])
    for (const value of [0, 1, 1.01, 2, 5, 5.01, 100]) histogram.add(value)
    histogram.add(3, 4)
    expect([...histogram.buckets]).toEqual([2, 2, 5, 2])
    expect(histogram.count).toBe(11)
    expect(histogram.sum).toBeCloseTo(0 + 1 + 1.01 + 2 + 5 + 5.01 + 100 + 12)
  })

  it('tells a quantile as far as its buckets can', () => {
    const histogram = new Histogram([10, 20, 30])
    expect(quantile(histogram, 0.5)).toBeNull()
    histogram.add(5, 50)
    histogram.add(15, 50)
    expect(quantile(histogram, 0.5)).toBe(10)
    expect(quantile(histogram, 0.95)).toBe(19)
    histogram.add(1000, 900)
    expect(quantile(histogram, 0.95)).toBe(30)
  })

  it('costs next to nothing', () => {
    const histogram = new Histogram(secondsBounds)
    // In short runs, the fastest of which nobody held up.
    const tookMs = Array.from({ length: 100 }, () => {
      const started = performance.now()
      for (let i = 0; i < 10_000; i++) histogram.add((i % 1000) / 1000)
      return performance.now() - started
    })
    // A few nanoseconds each on a quiet machine; far from it only if something allocates or looks up.
    expect(Math.min(...tookMs) / 10_000).toBeLessThan(0.0005)
    expect(histogram.count).toBe(1_000_000)
  })
})

it('series keep their attributes apart and leave empty ones out', () => {
  const series = new HistogramSeries(['route', 'error'], [1])
  series.of('/a', '').add(0.5)
  series.of('/a', '').add(0.5)
  series.of('/a', 'timeout').add(0.5)
  expect([...series].map(({ attributes, histogram }) => [attributes, histogram.count])).toEqual([
    [{ route: '/a' }, 2],
    [{ route: '/a', error: 'timeout' }, 1],
  ])
})
