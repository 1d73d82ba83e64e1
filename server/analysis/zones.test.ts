import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it, vi } from 'vitest'
import {
  addDays,
  dayName,
  dayNumber,
  dayNumberOf,
  dayOf,
  dayStart,
  eachDay,
  hourStart,
  isZone,
  offsetAt,
  weekStart,
  yearBefore,
} from './zones.ts'

const HOUR_MS = 3_600_000
const zones = ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia']
const zone = fc.constantFrom(...zones)
/** Of the years in which these zones changed their clocks on whole quarters of an hour. */
const instant = fc.integer({ min: Date.UTC(2012, 0, 1), max: Date.UTC(2040, 0, 1) })

/** The wall clock by another implementation than the one under test. */
function wallClock(timeZone: string, at: number): { day: string; minute: number; second: number } {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const parts = new Map(format.formatToParts(at).map((part) => [part.type, part.value]))
  return {
    day: `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`,
    minute: Number(parts.get('minute')),
    second: Number(parts.get('second')),
  }
}

describe('days', () => {
  it('are those of the wall clock', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, at) => {
        expect(dayOf(timeZone, at)).toBe(wallClock(timeZone, at).day)
        expect(dayName(dayNumberOf(timeZone, at))).toBe(dayOf(timeZone, at))
      }),
    )
  })

  it('begin at their first instant', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, at) => {
        const day = dayOf(timeZone, at)
        const start = dayStart(timeZone, day)
        expect(dayOf(timeZone, start)).toBe(day)
        expect(dayOf(timeZone, start - 1) < day).toBe(true)
        expect(start).toBeLessThanOrEqual(at)
        expect(at).toBeLessThan(dayStart(timeZone, addDays(day, 1)))
      }),
    )
  })

  it.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['Europe/Berlin', '2026-11-22', 24],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    ['Asia/Kathmandu', '2026-03-29', 24],
  ])('of %s: %s lasts %s hours', (timeZone, day, hours) => {
    expect(dayStart(timeZone, addDays(day, 1)) - dayStart(timeZone, day)).toBe(hours * HOUR_MS)
  })

  it('begin when Temporal says, on every day of 60 years and in whatever order they are asked for', () => {
    const everywhere = [...zones, 'America/Santiago', 'Africa/Casablanca', 'Asia/Tehran', 'Africa/Cairo']
    for (const timeZone of everywhere) {
      const days = eachDay('1980-01-01', '2039-12-31')
      for (const day of timeZone === 'Africa/Casablanca' ? days.reverse() : days)
        if (dayStart(timeZone, day) !== Temporal.PlainDate.from(day).toZonedDateTime(timeZone).epochMilliseconds)
          expect.fail(`${day} in ${timeZone}`)
    }
  })

  it('of ten years are found without asking Temporal for each, which takes 10 µs', () => {
    const asked = vi.spyOn(Temporal.PlainDate, 'from')
    for (const day of eachDay('2016-11-22', '2026-11-22')) dayStart('America/New_York', day)
    expect(asked.mock.calls.length).toBeLessThan(100)
  })

  it('begin later where midnight is skipped', () => {
    // Santiago's clocks go from 24:00 to 1:00.
    expect(dayStart('America/Santiago', '2026-09-06')).toBe(Date.UTC(2026, 8, 6, 4))
    expect(dayOf('America/Santiago', Date.UTC(2026, 8, 6, 4) - 1)).toBe('2026-09-05')
  })

  it('can be before 1970', () => {
    expect(dayNumberOf('America/St_Johns', 0)).toBe(-1)
    expect(dayOf('America/St_Johns', 0)).toBe('1969-12-31')
  })
})

describe('hours', () => {
  it('begin on the full hour of the wall clock', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, at) => {
        const start = hourStart(timeZone, at)
        expect(start).toBeLessThanOrEqual(at)
        expect(at - start).toBeLessThan(HOUR_MS)
        const { minute, second } = wallClock(timeZone, at)
        expect(Math.floor((at - start) / 1000)).toBe(minute * 60 + second)
      }),
    )
  })

  it('are two where a clock change repeats one', () => {
    const first = Date.UTC(2026, 9, 25, 0)
    expect(hourStart('Europe/Berlin', first + 1)).toBe(first)
    expect(hourStart('Europe/Berlin', first + HOUR_MS + 1)).toBe(first + HOUR_MS)
  })
})

describe('offsets', () => {
  it('are right at the very instant of a change, and remembered', () => {
    const change = Date.UTC(2026, 2, 29, 1)
    for (let round = 0; round < 2; round++) {
      expect(offsetAt('Europe/Berlin', change - 1)).toBe(HOUR_MS)
      expect(offsetAt('Europe/Berlin', change)).toBe(2 * HOUR_MS)
    }
    expect(offsetAt('Asia/Kathmandu', change)).toBe(5.75 * HOUR_MS)
  })
})

describe('calendar', () => {
  it('counts days over months, years and leap days', () => {
    expect(dayNumber('1970-01-01')).toBe(0)
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
    expect(addDays('2026-03-01', -1)).toBe('2026-02-28')
    expect(eachDay('2026-02-27', '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
    expect(eachDay('2026-03-01', '2026-03-01')).toEqual(['2026-03-01'])
    expect(eachDay('2026-03-02', '2026-03-01')).toEqual([])
  })

  it('begins weeks on Monday', () => {
    fc.assert(
      fc.property(fc.integer({ min: -4000, max: 40_000 }), (number) => {
        const monday = weekStart(dayName(number))
        expect(Temporal.PlainDate.from(monday).dayOfWeek).toBe(1)
        expect(number - dayNumber(monday)).toBeGreaterThanOrEqual(0)
        expect(number - dayNumber(monday)).toBeLessThan(7)
      }),
    )
  })

  it('finds the day a year before', () => {
    expect(yearBefore('2026-11-22')).toBe('2025-11-22')
    expect(yearBefore('2028-02-29')).toBe('2027-02-28')
  })

  it('tells a zone from other words', () => {
    expect(isZone('Europe/Berlin')).toBe(true)
    expect(isZone('Mars/Olympus')).toBe(false)
    expect(isZone('')).toBe(false)
  })
})
