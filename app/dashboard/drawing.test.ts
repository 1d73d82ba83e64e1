import { describe, expect, it } from 'vitest'
import type { DayFigures } from '../../trpc/schema/stats.ts'
import { addDays } from '../range/days.ts'
import { bucketsOf, coursesOf } from './drawing.ts'

const day = (date: string, gross: number, currency = 'EUR'): DayFigures => ({
  date,
  events: 1,
  users: 1,
  sessions: 1,
  orderingSessions: 1,
  orders: 1,
  money: [
    { currency, decimals: 2, orders: 1, gross, verified: { orders: 1, gross }, claimed: { orders: 0, gross: 0 } },
  ],
})

describe('buckets of the revenue chart', () => {
  it('hold one currency and never another', () => {
    const days = [day('2026-11-21', 100), day('2026-11-22', 200, 'USD')]
    expect(bucketsOf(days, 'EUR', 'day', '2026-11-30').map((bucket) => bucket.gross)).toEqual([100, 0])
  })

  it('sum the days of a week under its Monday', () => {
    const days = [day('2026-11-22', 100), day('2026-11-23', 200), day('2026-11-29', 300)]
    expect(
      bucketsOf(days, 'EUR', 'week', '2026-11-30').map(({ date, gross, orders }) => ({ date, gross, orders })),
    ).toEqual([
      { date: '2026-11-16', gross: 100, orders: 1 },
      { date: '2026-11-23', gross: 500, orders: 2 },
    ])
  })
})

describe('sums that are more than a number can say', () => {
  const most = Number.MAX_SAFE_INTEGER

  it('say so in the buckets that hold them, and stay the largest that can be said', () => {
    const days = [day('2026-11-23', most), day('2026-11-24', 1), day('2026-11-30', 5)]
    expect(bucketsOf(days, 'EUR', 'week', '2026-11-30').map(({ gross, isMore }) => ({ gross, isMore }))).toEqual([
      { gross: most, isMore: true },
      { gross: 5, isMore: undefined },
    ])
    const [only] = days
    const [told] = only!.money
    const more = { ...only!, money: [{ ...told!, isMore: true as const }] }
    expect(bucketsOf([more], 'EUR', 'day', '2026-11-30')[0]).toMatchObject({ gross: most, isMore: true })
  })

  it('hide nothing of what servers state', () => {
    const [stated, told] = [day('2026-11-23', 1234), day('2026-11-24', 1)]
    const claimed = { ...told, money: [{ ...told.money[0]!, gross: most, isMore: true as const }] }
    expect(bucketsOf([stated, claimed], 'EUR', 'week', '2026-11-30')).toMatchObject([
      { gross: most, isMore: true, verified: { gross: 1235 } },
    ])
  })
})

describe('days to come', () => {
  const none = { events: 0, users: 0, sessions: 0, orderingSessions: 0, orders: 0, money: [] }
  const days = [
    day('2026-11-22', 100),
    { ...day('2026-11-23', 0), ...none },
    { ...day('2026-11-24', 0), ...none },
    day('2026-11-25', 7),
  ]

  it('have no figures, unless a clock runs ahead', () => {
    expect(bucketsOf(days, 'EUR', 'day', '2026-11-23').map((bucket) => bucket.isBegun)).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(bucketsOf(days.slice(1, 3), 'EUR', 'week', '2026-11-23').map((bucket) => bucket.isBegun)).toEqual([true])
    expect(coursesOf(days, 'EUR', '2026-11-23')).toMatchObject({ events: [1, 0, null, 1], gross: [100, 0, null, 7] })
  })
})

describe('courses', () => {
  const days = (count: number, of: (index: number) => Partial<DayFigures>) =>
    Array.from({ length: count }, (_, index) => ({ ...day(addDays('2016-01-01', index), index), ...of(index) }))

  it('are day by day up to half a year', () => {
    const { events, gross } = coursesOf(
      days(183, (index) => ({ events: index })),
      'EUR',
      '2026-11-30',
    )
    expect(events).toEqual(Array.from({ length: 183 }, (_, index) => index))
    expect(gross).toEqual(events)
  })

  it('are means of as many days as it takes, so that a short last group does not fall', () => {
    const { events } = coursesOf(
      days(3650, () => ({ events: 7 })),
      'EUR',
      '2026-11-30',
    )
    expect(events.length).toBe(183)
    expect(new Set(events)).toEqual(new Set([7]))
  })

  it('divide the sums of a group, and are unknown where there is nothing to divide by', () => {
    const { perUser, conversion } = coursesOf(
      days(366, (index) =>
        index < 2
          ? { events: index * 8, users: 1 + index, sessions: 4, orderingSessions: index }
          : { users: 0, sessions: 0 },
      ),
      'EUR',
      '2026-11-30',
    )
    expect(perUser.slice(0, 2)).toEqual([8 / 3, null])
    expect(conversion.slice(0, 2)).toEqual([1 / 8, null])
  })

  it('know no other currency, and nothing of no days', () => {
    expect(coursesOf([day('2026-11-22', 200, 'USD')], 'EUR', '2026-11-30').gross).toEqual([0])
    expect(coursesOf([], 'EUR', '2026-11-30').events).toEqual([])
  })
})
