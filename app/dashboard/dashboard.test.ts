import { describe, expect, it } from 'vitest'
import { clockText } from '../../server/analysis/zones.ts'
import type { Point } from '../../trpc/schema/stats.ts'
import { learnClock } from '../format/time.ts'
import { begunPoints, endName } from './events-chart.tsx'
import { topTypes } from './types.tsx'

learnClock({ timeZone: 'Europe/Berlin', clock: clockText('Europe/Berlin') })

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

describe('the name of the last bucket', () => {
  const point = (date: string, at = `${date}T00:00:00.000Z`): Point => ({ at, date, events: 1, partial: false })
  const words = { now: '2026-11-23T14:02:00.000Z', zone: 'UTC' }

  it('is this week only for the one that runs', () => {
    expect(endName(point('2026-11-23'), 'week', words)).toBe('this week')
    expect(endName(point('2026-11-17'), 'week', words)).toBe('this week')
    expect(endName(point('2026-11-16'), 'week', words)).toBe('16 Nov')
  })

  it('is a day or an hour in the zone of the shop', () => {
    expect(endName(point('2026-11-22'), 'day', words)).toBe('22 Nov')
    const hour = point('2026-11-22', '2026-11-22T13:00:00.000Z')
    expect(endName(hour, 'hour', { ...words, zone: 'Europe/Berlin' })).toBe('14:00')
  })
})
