import { describe, expect, it } from 'vitest'
import { clockText } from '../../server/analysis/zones.ts'
import type { ComparedPeriod } from '../../trpc/schema/stats.ts'
import { learnClock } from '../format/time.ts'
import { comparedHow, comparedName, comparedShortName, counterpartName, missingSentence } from './compared.ts'

const zone = 'Europe/Berlin'
learnClock({ timeZone: zone, clock: clockText(zone) })
const today = '2026-11-30'

function period(from: string, to: string, parts: Partial<ComparedPeriod> = {}): ComparedPeriod {
  const aligned = { by: 'day' as const, back: 1 }
  return { range: { from, to }, from: '', until: '', untilTime: null, aligned, ...parts }
}
const cut = { until: '2026-11-29T16:32:00.000Z', untilTime: '17:32' }

describe('the period that is compared with', () => {
  it.each([
    [period('2026-11-29', '2026-11-29', cut), 'yesterday until 17:32', 'yesterday until 17:32'],
    [period('2026-11-28', '2026-11-28'), 'Sat 28 Nov 2026', 'Sat 28 Nov'],
    [period('2026-09-01', '2026-09-30'), '1 Sep – 30 Sep 2026', '1 Sep – 30 Sep'],
    [period('2025-12-01', '2025-12-01'), 'Mon 1 Dec 2025', 'Mon 1 Dec 2025'],
    [period('2025-12-01', '2025-12-07'), '1 Dec – 7 Dec 2025', '1 Dec – 7 Dec 2025'],
    // 02:30 occurs twice on this day; this is the first.
    [
      period('2026-10-25', '2026-10-25', { until: '2026-10-25T00:30:00.000Z', untilTime: '02:30' }),
      'Sun 25 Oct 2026 until 02:30 UTC+2',
      'Sun 25 Oct until 02:30 UTC+2',
    ],
    // 02:30 does not exist on this day, since the clocks skip it; the name stays as requested.
    [
      period('2026-03-29', '2026-03-29', { until: '2026-03-29T01:00:00.000Z', untilTime: '02:30' }),
      'Sun 29 Mar 2026 until 02:30',
      'Sun 29 Mar until 02:30',
    ],
  ])('has a name: %#', (period, long, short) => {
    expect(comparedName({ period, today, zone })).toBe(long)
    expect(comparedShortName({ period, today, zone })).toBe(short)
  })

  it.each([
    ['day', 1, null],
    ['day', 364, 'the same weekdays, 364 days before'],
    ['week', 7, 'the same days of the week before'],
    ['week', 364, 'the same weekdays'],
    ['month', 1, 'the month before'],
    ['month', 3, 'the 3 months before'],
    ['month', 12, 'the same dates a year before'],
  ] as const)('lies to the range as its days do: by %s, %d', (by, back, expected) => {
    expect(comparedHow(period('2026-11-29', '2026-11-29', { aligned: { by, back } }))).toBe(expected)
  })

  it('may be missing, for a reason', () => {
    const words = { period: period('2026-11-29', '2026-11-29', cut), today, zone }
    expect(missingSentence(words, 'too_many')).toMatch(/^There are too many events of yesterday until 17:32 /)
    expect(missingSentence(words, 'not_kept')).toMatch(/not kept any more/)
    expect(missingSentence(words, 'busy')).toMatch(/Load the page again/)
  })
})

describe('what a bucket is compared with', () => {
  const point = (at: string, date: string, to = date, partial = false) => ({ at, date, to, events: 1, partial })
  const words = { period: period('2026-11-16', '2026-11-29', cut), today, zone }

  it('has a name, and the minute where it is cut', () => {
    const last = point('2026-11-29T16:00:00.000Z', '2026-11-29', '2026-11-29', true)
    expect(counterpartName(last, 'hour', words)).toBe('29 Nov, 17:00 until 17:32')
    expect(counterpartName(last, 'day', words)).toBe('Sun 29 Nov until 17:32')
    expect(counterpartName(point('2026-11-28T16:00:00.000Z', '2026-11-28'), 'hour', words)).toBe('28 Nov, 17:00')
    const week = point('2026-11-15T23:00:00.000Z', '2026-11-16', '2026-11-22', true)
    expect(counterpartName(week, 'week', words)).toBe('16 Nov – 22 Nov')
  })

  it('has its offset where the wall showed the hour twice, and its year where that is another', () => {
    const hour = (at: string) => counterpartName(point(at, '2026-10-25'), 'hour', words)
    expect(hour('2026-10-25T00:00:00.000Z')).toBe('25 Oct, 02:00 UTC+2')
    expect(hour('2026-10-25T01:00:00.000Z')).toBe('25 Oct, 02:00 UTC+1')
    expect(hour('2026-10-25T02:00:00.000Z')).toBe('25 Oct, 03:00')
    const year = { ...words, period: period('2025-11-27', '2025-11-27') }
    expect(counterpartName(point('2025-11-26T23:00:00.000Z', '2025-11-27'), 'day', year)).toBe('Thu 27 Nov 2025')
  })
})
