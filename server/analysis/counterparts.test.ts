import { describe, expect, it } from 'vitest'
import type { DayFigures } from '../../trpc/schema/stats.ts'
import { earlierPeriod } from './comparison.ts'
import { counterpartsOf } from './counterparts.ts'
import { dayPoints, hourPoints, weekPoints } from './overview.ts'
import { dayStart, eachDay, nextHourStart } from './zones.ts'

const never = Number.POSITIVE_INFINITY

/** A day with as many events as its number. */
function figures(date: string): DayFigures {
  const none = { users: 0, sessions: 0, orderingSessions: 0, orders: 0, money: [] }
  return { date, events: Number(date.slice(8)), ...none }
}

/** What the hours of a day are compared with on the day before: each event count is its place in that day, from 1. */
function hours(day: string, zone: string): (string | null)[] {
  const range = { from: day, to: day }
  const earlier = earlierPeriod({
    range,
    with: 'previous',
    by: 'day',
    zone,
    now: dayStart(zone, day) + 40 * 86_400_000,
  })
  const rows: { start: number; events: number }[] = []
  for (let start = dayStart(zone, earlier.from); start < dayStart(zone, day); start = nextHourStart(zone, start))
    rows.push({ start, events: rows.length + 1 })
  const points = hourPoints([], day, day, zone, never)
  const earlierPoints = hourPoints(rows, earlier.from, earlier.to, zone, never)
  const found = counterpartsOf({ interval: 'hour', range, points, earlier, earlierPoints, earlierDays: [], zone })
  return found.map((point) => point && `${point.at.slice(11, 16)} ${point.events}`)
}

describe('what an hour is compared with', () => {
  it('is the hour of its name, where the clocks went back the day before', () => {
    const found = hours('2026-10-26', 'Europe/Berlin')
    expect(found).toHaveLength(24)
    // Yesterday's second 02:00 is the fourth hour; 22:00 the 24th of 25.
    expect([found[2], found[3], found[22]]).toEqual(['00:00 3', '02:00 5', '21:00 24'])
  })

  it('is nothing for the second of two', () => {
    const found = hours('2026-10-25', 'Europe/Berlin')
    expect(found).toHaveLength(25)
    expect([found[2], found[3], found[4], found[23]]).toEqual(['00:00 3', null, '01:00 4', '20:00 23'])
  })

  it('is nothing where the clocks left the hour out', () => {
    const found = hours('2026-03-30', 'Europe/Berlin')
    expect([found[1], found[2], found[3], found[22]]).toEqual(['00:00 2', null, '01:00 3', '20:00 22'])
    const shorter = hours('2026-03-29', 'Europe/Berlin')
    expect(shorter).toHaveLength(23)
    // 03:00 is the third hour of the day and the fourth of the day before.
    expect([shorter[1], shorter[2], shorter[21]]).toEqual(['00:00 2', '02:00 4', '21:00 23'])
  })

  it('knows a change of half an hour', () => {
    const found = hours('2026-04-05', 'Australia/Lord_Howe')
    // 00, 01, 01:30 again, 02 …
    expect(found).toHaveLength(25)
    expect([found[1], found[2], found[3]]).toEqual(['14:00 2', null, '15:00 3'])
  })
})

describe('what a day or a week is compared with', () => {
  const now = Date.parse('2026-11-25T12:00:00Z')
  const zone = 'Europe/Berlin'
  function compared(from: string, to: string, interval: 'day' | 'week', by: 'day' | 'month', at = now) {
    const range = { from, to }
    const earlier = earlierPeriod({ range, with: 'previous', by, zone, now: at })
    const [days, earlierDays] = [eachDay(from, to), eachDay(earlier.from, earlier.to)].map((all) => all.map(figures))
    const of = interval === 'day' ? dayPoints : weekPoints
    const found = counterpartsOf({
      ...{ interval, range, earlier, zone, earlierDays: earlierDays! },
      points: of(days!, zone, at),
      earlierPoints: of(earlierDays!, zone, earlier.until?.at ?? at),
    })
    return found.map((point) => point && `${point.date}..${point.to} ${point.events}${point.partial ? ' partial' : ''}`)
  }

  it('is the day of its number in months, and nothing where there is none', () => {
    const found = compared('2026-03-01', '2026-03-31', 'day', 'month')
    expect([found[0], found[27], found[28], found[30]]).toEqual([
      '2026-02-01..2026-02-01 1',
      '2026-02-28..2026-02-28 28',
      null,
      null,
    ])
  })

  it('is cut with the period', () => {
    expect(compared('2026-11-24', '2026-11-25', 'day', 'day')).toEqual([
      '2026-11-22..2026-11-22 22',
      '2026-11-23..2026-11-23 23 partial',
    ])
  })

  it('is the days that the days of a week are compared with', () => {
    // Monday 9 November to Wednesday 18; ten days before that is 30 October to 8 November.
    expect(compared('2026-11-09', '2026-11-18', 'week', 'day')).toEqual([
      `2026-10-30..2026-11-05 ${30 + 31 + 1 + 2 + 3 + 4 + 5}`,
      `2026-11-06..2026-11-08 ${6 + 7 + 8} partial`,
    ])
  })
})
