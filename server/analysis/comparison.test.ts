import { describe, expect, it } from 'vitest'
import { type ComparisonQuery, counterpart, earlierPeriod } from './comparison.ts'

const zone = 'Europe/Berlin'

/** "from..to", of an earlier period that ends within a day with the instant and what the wall shows. */
function compared(from: string, to: string, query: Partial<ComparisonQuery> & { at: string }): string {
  const { at, ...rest } = query
  const earlier = earlierPeriod({
    ...{ range: { from, to }, with: 'previous', by: null, zone, now: Date.parse(at) },
    ...rest,
  })
  const days = `${earlier.from}..${earlier.to}`
  return earlier.until ? `${days} until ${earlier.until.time} ${new Date(earlier.until.at).toISOString()}` : days
}

describe('the period before', () => {
  // Berlin is an hour ahead of UTC, and two until 25 October.
  it.each([
    [
      'today: yesterday until the same minute',
      '2026-11-30',
      '2026-11-30',
      '2026-11-30T16:32:40Z',
      '2026-11-29..2026-11-29 until 17:32 2026-11-29T16:32:00.000Z',
    ],
    [
      'today, the first of a month: yesterday as well',
      '2026-12-01',
      '2026-12-01',
      '2026-12-01T16:32:00Z',
      '2026-11-30..2026-11-30 until 17:32 2026-11-30T16:32:00.000Z',
    ],
    [
      'today, a Monday: yesterday as well',
      '2026-11-23',
      '2026-11-23',
      '2026-11-23T16:32:00Z',
      '2026-11-22..2026-11-22 until 17:32 2026-11-22T16:32:00.000Z',
    ],
    ['yesterday: the day before, whole', '2026-11-29', '2026-11-29', '2026-11-30T16:32:00Z', '2026-11-28..2026-11-28'],
    [
      'the last 7 days: the 7 before, up to the same minute',
      '2026-11-24',
      '2026-11-30',
      '2026-11-30T16:32:00Z',
      '2026-11-17..2026-11-23 until 17:32 2026-11-23T16:32:00.000Z',
    ],
    [
      '7 days that are over: the 7 before',
      '2026-11-23',
      '2026-11-29',
      '2026-11-30T16:32:00Z',
      '2026-11-16..2026-11-22',
    ],
    [
      'from Monday to today: the same days of the week before',
      '2026-11-23',
      '2026-11-25',
      '2026-11-25T08:00:00Z',
      '2026-11-16..2026-11-18 until 09:00 2026-11-18T08:00:00.000Z',
    ],
    ['October: September', '2026-10-01', '2026-10-31', '2026-11-30T12:00:00Z', '2026-09-01..2026-09-30'],
    ['March: February', '2026-03-01', '2026-03-31', '2026-11-30T12:00:00Z', '2026-02-01..2026-02-28'],
    [
      'March of a leap year: 29 days of February',
      '2028-03-01',
      '2028-03-31',
      '2028-04-30T12:00:00Z',
      '2028-02-01..2028-02-29',
    ],
    ['February: all of January', '2026-02-01', '2026-02-28', '2026-11-30T12:00:00Z', '2026-01-01..2026-01-31'],
    [
      'January: December of the year before',
      '2026-01-01',
      '2026-01-31',
      '2026-11-30T12:00:00Z',
      '2025-12-01..2025-12-31',
    ],
    ['a quarter: the one before', '2026-07-01', '2026-09-30', '2026-11-30T12:00:00Z', '2026-04-01..2026-06-30'],
    ['a year: the one before', '2028-01-01', '2028-12-31', '2029-11-30T12:00:00Z', '2027-01-01..2027-12-31'],
    [
      'this month to date: the same days of the one before',
      '2026-11-01',
      '2026-11-23',
      '2026-11-23T12:00:00Z',
      '2026-10-01..2026-10-23 until 13:00 2026-10-23T11:00:00.000Z',
    ],
    ['30 March: all of February', '2026-03-01', '2026-03-30', '2026-03-30T12:00:00Z', '2026-02-01..2026-02-28'],
    [
      '28 March: February until then',
      '2026-03-01',
      '2026-03-28',
      '2026-03-28T12:00:00Z',
      '2026-02-01..2026-02-28 until 13:00 2026-02-28T12:00:00.000Z',
    ],
    [
      'this whole month while it runs: the same part',
      '2026-11-01',
      '2026-11-30',
      '2026-11-23T12:00:00Z',
      '2026-10-01..2026-10-23 until 13:00 2026-10-23T11:00:00.000Z',
    ],
    [
      'days of a month that are over: as many days',
      '2026-11-01',
      '2026-11-15',
      '2026-11-23T12:00:00Z',
      '2026-10-17..2026-10-31',
    ],
    [
      'days that run on: up to the same day',
      '2026-11-20',
      '2026-11-29',
      '2026-11-23T12:00:00Z',
      '2026-11-10..2026-11-13 until 13:00 2026-11-13T12:00:00.000Z',
    ],
    ['days to come: those before them', '2026-12-10', '2026-12-11', '2026-11-23T12:00:00Z', '2026-12-08..2026-12-09'],
    ['7 days over a leap day: 7 days', '2028-02-27', '2028-03-04', '2028-04-01T12:00:00Z', '2028-02-20..2028-02-26'],
    [
      'midnight: nothing of the day yet',
      '2026-11-30',
      '2026-11-30',
      '2026-11-29T23:00:59Z',
      '2026-11-29..2026-11-29 until 00:00 2026-11-28T23:00:00.000Z',
    ],
  ])('of %s', (_, from, to, at, expected) => {
    expect(compared(from, to, { at })).toBe(expected)
  })

  it.each([
    [
      'the last 7 days on the seventh are no month',
      '2026-12-01',
      '2026-12-07',
      'day',
      '2026-12-07T12:00:00Z',
      '2026-11-24..2026-11-30 until 13:00 2026-11-30T12:00:00.000Z',
    ],
    [
      'the last 30 days on the 30th',
      '2026-11-01',
      '2026-11-30',
      'day',
      '2026-11-30T12:00:00Z',
      '2026-10-02..2026-10-31 until 13:00 2026-10-31T12:00:00.000Z',
    ],
    [
      'this month on its first day',
      '2026-12-01',
      '2026-12-01',
      'month',
      '2026-12-01T12:00:00Z',
      '2026-11-01..2026-11-01 until 13:00 2026-11-01T12:00:00.000Z',
    ],
    [
      'this week on a Monday',
      '2026-11-23',
      '2026-11-23',
      'week',
      '2026-11-23T12:00:00Z',
      '2026-11-16..2026-11-16 until 13:00 2026-11-16T12:00:00.000Z',
    ],
    ['a month from the 15th', '2026-10-15', '2026-11-14', 'month', '2026-11-30T12:00:00Z', '2026-09-15..2026-10-14'],
  ] as const)('follows what the range is made of: %s', (_, from, to, by, at, expected) => {
    expect(compared(from, to, { at, by })).toBe(expected)
  })
})

describe('the period a year before', () => {
  it.each([
    [
      'today: the same weekday',
      '2026-11-30',
      '2026-11-30',
      '2026-11-30T16:32:00Z',
      '2025-12-01..2025-12-01 until 17:32 2025-12-01T16:32:00.000Z',
    ],
    ['7 days: on the same weekdays', '2026-11-16', '2026-11-22', '2026-11-30T12:00:00Z', '2025-11-17..2025-11-23'],
    ['7 days with a leap day: 7 days', '2028-02-26', '2028-03-03', '2028-11-30T12:00:00Z', '2027-02-27..2027-03-05'],
    ['a leap day: the same weekday', '2028-02-29', '2028-02-29', '2028-11-30T12:00:00Z', '2027-03-02..2027-03-02'],
    ['a month: the same month', '2026-10-01', '2026-10-31', '2026-11-30T12:00:00Z', '2025-10-01..2025-10-31'],
    [
      'February of a leap year: all of February',
      '2028-02-01',
      '2028-02-29',
      '2028-11-30T12:00:00Z',
      '2027-02-01..2027-02-28',
    ],
    [
      'the February after one: all 29 days',
      '2029-02-01',
      '2029-02-28',
      '2029-11-30T12:00:00Z',
      '2028-02-01..2028-02-29',
    ],
    [
      'February up to its leap day: all of February',
      '2028-02-01',
      '2028-02-29',
      '2028-02-29T12:00:00Z',
      '2027-02-01..2027-02-28',
    ],
    [
      'this month to date: the same days',
      '2026-11-01',
      '2026-11-23',
      '2026-11-23T12:00:00Z',
      '2025-11-01..2025-11-23 until 13:00 2025-11-23T12:00:00.000Z',
    ],
    ['a year: the same year', '2026-01-01', '2026-12-31', '2027-11-30T12:00:00Z', '2025-01-01..2025-12-31'],
    [
      'this year to date: the same days',
      '2026-01-01',
      '2026-11-30',
      '2026-11-30T12:00:00Z',
      '2025-01-01..2025-11-30 until 13:00 2025-11-30T12:00:00.000Z',
    ],
  ])('of %s', (_, from, to, at, expected) => {
    expect(compared(from, to, { at, with: 'year' })).toBe(expected)
  })
})

describe('the same moment of another day', () => {
  const today = (at: string, day: string, query: Partial<ComparisonQuery> = {}) =>
    compared(day, day, { at, ...query }).replace(/.* until /, '')

  it('is by the clock on the wall, across a change of it', () => {
    // The day after the change: yesterday had 25 hours.
    expect(today('2026-10-26T16:32:00Z', '2026-10-26')).toBe('17:32 2026-10-25T16:32:00.000Z')
    // The day of the change: yesterday was summer time.
    expect(today('2026-10-25T16:32:00Z', '2026-10-25')).toBe('17:32 2026-10-24T15:32:00.000Z')
    expect(today('2026-03-29T15:32:00Z', '2026-03-29')).toBe('17:32 2026-03-28T16:32:00.000Z')
  })

  it('that came twice is the first, unless this is the second as well', () => {
    expect(today('2026-10-26T01:30:00Z', '2026-10-26')).toBe('02:30 2026-10-25T00:30:00.000Z')
    expect(today('2026-10-25T01:30:00Z', '2026-10-25')).toBe('02:30 2026-10-24T00:30:00.000Z')
    // Both were the last Sunday of October.
    expect(today('2026-10-25T00:30:00Z', '2026-10-25', { with: 'year' })).toBe('02:30 2025-10-26T00:30:00.000Z')
    expect(today('2026-10-25T01:30:00Z', '2026-10-25', { with: 'year' })).toBe('02:30 2025-10-26T01:30:00.000Z')
  })

  it('that the clocks left out is when they went forward', () => {
    expect(today('2026-03-30T00:30:00Z', '2026-03-30')).toBe('02:30 2026-03-29T01:00:00.000Z')
  })

  it('knows half an hour of a change, and quarters of a zone', () => {
    expect(today('2026-04-05T01:00:00Z', '2026-04-05', { zone: 'Australia/Lord_Howe' })).toBe(
      '11:30 2026-04-04T00:30:00.000Z',
    )
    expect(today('2026-11-22T12:00:30Z', '2026-11-22', { zone: 'Asia/Kathmandu' })).toBe(
      '17:45 2026-11-21T12:00:00.000Z',
    )
  })
})

describe('the day that a day is compared with', () => {
  it('goes back by days, or has the same number in its month', () => {
    expect(counterpart('2026-03-30', { by: 'day', back: 30 })).toBe('2026-02-28')
    expect(counterpart('2026-03-28', { by: 'month', back: 1 })).toBe('2026-02-28')
    expect(counterpart('2026-03-29', { by: 'month', back: 1 })).toBeNull()
    expect(counterpart('2028-02-29', { by: 'month', back: 12 })).toBeNull()
    expect(counterpart('2026-01-31', { by: 'month', back: 1 })).toBe('2025-12-31')
  })
})
