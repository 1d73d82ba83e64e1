import { describe, expect, it } from 'vitest'
import { clockText } from '../../server/analysis/zones.ts'
import { learnClock } from '../format/time.ts'
import { addDays } from '../range/days.ts'
import { bucketAt, bucketUnder } from './places.ts'
import { bucketName, isLong, timeTicks, valueTicks } from './ticks.ts'

learnClock({ timeZone: 'Europe/Berlin', clock: clockText('Europe/Berlin') })

const days = (count: number, last = '2026-11-22') =>
  Array.from({ length: count }, (_, index) => {
    const date = addDays(last, index - count + 1)
    return { at: `${date}T00:00:00Z`, date }
  })

const hours = (count: number, from = '2026-11-22T00:00:00Z') =>
  Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.parse(from) + index * 3_600_000).toISOString()
    return { at, date: at.slice(0, 10) }
  })

describe('gridlines', () => {
  it.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [2, [0, 1, 2]],
    [48_889, [0, 20_000, 40_000, 60_000]],
    [1376, [0, 500, 1000, 1500]],
    [100, [0, 40, 80, 120]],
  ])('up to %i are %j', (max, ticks) => {
    expect(valueTicks(max)).toEqual(ticks)
  })

  it('are at most four, whole, from zero to the top, for any number', () => {
    for (let max = 1; max < 5_000_000; max = Math.ceil(max * 1.07)) {
      const ticks = valueTicks(max)
      expect(ticks.length).toBeLessThanOrEqual(4)
      expect(ticks[0]).toBe(0)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max)
      expect(ticks.every(Number.isInteger)).toBe(true)
    }
  })
})

describe('labels under a chart', () => {
  it('are weekly and end at the last day', () => {
    const ticks = timeTicks(days(30), 'day', 'UTC')
    expect(ticks.map((tick) => tick.label)).toEqual(['25 Oct', '1 Nov', '8 Nov', '15 Nov', '22 Nov'])
    expect(ticks.filter((tick) => !tick.optional).map((tick) => tick.label)).toEqual(['25 Oct', '8 Nov', '22 Nov'])
  })

  it('are at most eight, and three where it is narrow', () => {
    for (const count of [1, 7, 8, 9, 30, 31, 60, 90, 365, 3660]) {
      const ticks = timeTicks(days(count), 'day', 'UTC')
      expect(ticks.length).toBeLessThanOrEqual(8)
      expect(ticks.filter((tick) => !tick.optional).length).toBeLessThanOrEqual(3)
      expect(ticks.at(-1)?.index).toBe(count - 1)
    }
  })

  it('say the year where a day comes twice', () => {
    expect(timeTicks(days(365), 'day', 'UTC').at(-1)?.label).toBe('22 Nov')
    expect(timeTicks(days(366), 'day', 'UTC').at(-1)?.label).toBe('Nov 2026')
    expect(isLong(days(365))).toBe(false)
    expect(isLong(days(366))).toBe(true)
    expect(isLong([])).toBe(false)
  })

  it('are round hours of one day and midnights of several', () => {
    expect(timeTicks(hours(24), 'hour', 'UTC').map((tick) => tick.label)).toEqual([
      '00:00',
      '04:00',
      '08:00',
      '12:00',
      '16:00',
      '20:00',
    ])
    const week = timeTicks(hours(7 * 24), 'hour', 'UTC')
    expect(week.map((tick) => tick.index % 24)).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(timeTicks(hours(31 * 24), 'hour', 'UTC').length).toBeLessThanOrEqual(8)
  })

  it('name buckets', () => {
    const point = { at: '2026-11-19T13:00:00Z', date: '2026-11-19' }
    const words = { zone: 'Europe/Berlin', weekday: 'Thursday', long: false }
    expect(bucketName(point, 'hour', words)).toBe('19 Nov, 14:00')
    expect(bucketName(point, 'day', words)).toBe('Thu 19 Nov')
    expect(bucketName(point, 'week', words)).toBe('Week of 19 Nov')
    expect(bucketName(point, 'week', { ...words, long: true })).toBe('Week of 19 Nov 2026')
  })
})

describe('places along a chart', () => {
  it.each([1, 2, 5, 12, 30, 200])('of %i buckets are found again under the pointer', (count) => {
    for (const bars of [true, false]) {
      for (let index = 0; index < count; index++)
        expect(bucketUnder(bucketAt(index, count, bars), count, bars)).toBe(index)
    }
  })

  it('stay inside', () => {
    expect(bucketUnder(-1, 3, true)).toBe(0)
    expect(bucketUnder(2, 3, true)).toBe(2)
    expect(bucketAt(0, 1, false)).toBe(0.5)
  })
})
