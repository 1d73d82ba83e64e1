import { describe, expect, it } from 'vitest'
import { averagePerUser, dayPoints, figuresOf, fillDays, hourPoints, weekPoints } from './overview.ts'
import { addDays, dayStart } from './zones.ts'

const HOUR_MS = 3_600_000
const zone = 'Europe/Berlin'
const never = Number.POSITIVE_INFINITY

function day(date: string, events: number) {
  return { date, events, users: 1, sessions: 1, orderingSessions: 0, orders: 0, money: [] }
}

describe('figures', () => {
  it('average with one decimal and have none without a base', () => {
    expect(averagePerUser(10, 3)).toBe(3.3)
    expect(averagePerUser(5, 2)).toBe(2.5)
    expect(averagePerUser(0, 0)).toBeNull()
    const row = {
      users: 0,
      events: 0,
      sessions: 0,
      orderingSessions: 0,
      orders: 0,
      money: [],
      aside: [],
      types: [],
      days: [],
    }
    expect(figuresOf(row)).toMatchObject({ avgEventsPerUser: null, conversion: null })
    expect(figuresOf({ ...row, users: 4, events: 6, sessions: 8, orderingSessions: 2 })).toMatchObject({
      totalUsers: 4,
      totalEvents: 6,
      avgEventsPerUser: 1.5,
      conversion: 0.25,
    })
  })
})

describe('days', () => {
  it('without events are there as zeros', () => {
    const { date, ...figures } = day('2026-11-21', 7)
    const filled = fillDays([{ day: date, ...figures }], '2026-11-20', '2026-11-22')
    expect(filled.map((row) => [row.date, row.events, row.users])).toEqual([
      ['2026-11-20', 0, 0],
      ['2026-11-21', 7, 1],
      ['2026-11-22', 0, 0],
    ])
  })

  it('are partial until their last instant is over', () => {
    const end = dayStart(zone, '2026-11-23')
    const at = (now: number) => dayPoints([day('2026-11-22', 1)], zone, now)[0]
    expect(at(end - 1)).toEqual({ at: '2026-11-21T23:00:00.000Z', date: '2026-11-22', events: 1, partial: true })
    expect(at(end)?.partial).toBe(false)
  })
})

describe('weeks', () => {
  it('run from Monday; one that the range cuts is partial', () => {
    // 2026-11-18 is a Wednesday.
    const days = Array.from({ length: 14 }, (_, n) => day(addDays('2026-11-18', n), 1))
    const points = weekPoints(days, zone, never)
    expect(points.map((point) => [point.date, point.events, point.partial])).toEqual([
      ['2026-11-16', 5, true],
      ['2026-11-23', 7, false],
      ['2026-11-30', 2, true],
    ])
    const now = dayStart(zone, '2026-11-29')
    expect(weekPoints(days, zone, now)[1]?.partial).toBe(true)
  })
})

describe('hours', () => {
  const hours = (timeZone: string, date: string) => hourPoints([], date, date, timeZone, never)

  it.each([
    [zone, '2026-03-29', 23],
    [zone, '2026-10-25', 25],
    [zone, '2026-11-22', 24],
    ['Asia/Kathmandu', '2026-11-22', 24],
  ])('of %s on %s are %s, an hour apart', (timeZone, date, count) => {
    const points = hours(timeZone, date)
    expect(points).toHaveLength(count)
    expect(points.every((point) => point.date === date)).toBe(true)
    const starts = points.map((point) => Date.parse(point.at))
    expect(starts[0]).toBe(dayStart(timeZone, date))
    expect(starts.slice(1).every((start, index) => start - starts[index]! === HOUR_MS)).toBe(true)
  })

  it('carry their events, and those that are not over are partial', () => {
    const start = dayStart(zone, '2026-11-22')
    const points = hourPoints(
      [{ start: start + HOUR_MS, events: 4 }],
      '2026-11-22',
      '2026-11-22',
      zone,
      start + 2 * HOUR_MS,
    )
    expect(points.map((point) => point.events).slice(0, 3)).toEqual([0, 4, 0])
    expect(points.map((point) => point.partial).slice(0, 3)).toEqual([false, false, true])
  })
})
