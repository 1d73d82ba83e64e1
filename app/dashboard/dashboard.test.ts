import { describe, expect, it } from 'vitest'
import type { DayFigures, Point } from '../../trpc/schema/stats.ts'
import { begunPoints } from './events-chart.tsx'
import { bucketsOf } from './revenue-chart.tsx'
import { topTypes } from './types.tsx'

describe('event types of the bars', () => {
  const types = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ type: `t${index}`, count: 100 - index }))

  it('are all of up to eight', () => {
    expect(topTypes(types(8))).toHaveLength(8)
  })

  it('are seven and the sum of the others above eight', () => {
    const top = topTypes(types(10))
    expect(top).toHaveLength(8)
    expect(top.at(-1)).toEqual({ type: 'other (3 types)', count: 93 + 92 + 91 })
  })
})

describe('points of the events chart', () => {
  const point = (hour: number, events = 0): Point => ({
    at: `2026-11-23T${String(hour).padStart(2, '0')}:00:00.000Z`,
    date: '2026-11-23',
    events,
    partial: hour >= 14,
  })
  const day = (ahead = -1) => Array.from({ length: 24 }, (_, hour) => point(hour, hour === ahead ? 1 : 0))

  it('end with the hour that runs', () => {
    expect(begunPoints(day(), '2026-11-23T14:02:00.000Z').at(-1)?.at).toBe('2026-11-23T14:00:00.000Z')
  })

  it('reach further where a clock runs ahead', () => {
    expect(begunPoints(day(20), '2026-11-23T14:02:00.000Z')).toHaveLength(21)
  })
})

describe('buckets of the revenue chart', () => {
  const day = (date: string, gross: number, currency = 'EUR'): DayFigures => ({
    date,
    events: 1,
    users: 1,
    sessions: 1,
    orderingSessions: 1,
    orders: 1,
    money: [{ currency, orders: 1, gross }],
  })

  it('hold one currency and never another', () => {
    const days = [day('2026-11-21', 100), day('2026-11-22', 200, 'USD')]
    expect(bucketsOf(days, 'EUR', 'day').map((bucket) => bucket.gross)).toEqual([100, 0])
  })

  it('sum the days of a week under its Monday', () => {
    const days = [day('2026-11-22', 100), day('2026-11-23', 200), day('2026-11-29', 300)]
    expect(bucketsOf(days, 'EUR', 'week').map(({ date, gross, orders }) => ({ date, gross, orders }))).toEqual([
      { date: '2026-11-16', gross: 100, orders: 1 },
      { date: '2026-11-23', gross: 500, orders: 2 },
    ])
  })
})
