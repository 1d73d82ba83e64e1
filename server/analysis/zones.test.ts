import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import {
  addDays,
  dayName,
  dayNumber,
  dayNumberOf,
  dayOf,
  dayStart,
  dayStretches,
  eachDay,
  hourStart,
  isSameClock,
  isZone,
  nextHourStart,
  offsetAt,
  wallInstants,
  weekStart,
} from './zones.ts'

const HOUR_MS = 3_600_000
const zones = ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia']
const zone = fc.constantFrom(...zones)
/** Of years on whose rules for these zones every runtime agrees. */
const instant = fc.integer({ min: Date.UTC(1972, 0, 1), max: Date.UTC(2040, 0, 1) })

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

  it('begin when Temporal says, on every day of years whose rules every runtime has', () => {
    for (const timeZone of [...zones, 'America/Santiago', 'Africa/Casablanca', 'Asia/Tehran', 'Africa/Cairo'])
      for (const day of eachDay('1990-01-01', '2024-12-31'))
        if (dayStart(timeZone, day) !== Temporal.PlainDate.from(day).toZonedDateTime(timeZone).epochMilliseconds)
          expect.fail(`${day} in ${timeZone}`)
  })

  it.each([
    ['America/Vancouver', '2026-11-29'],
    ['America/Edmonton', '2026-11-29'],
    ['Africa/Casablanca', '2026-11-29'],
  ])('of %s are those of our own rules, not of the runtime', (timeZone, day) => {
    // Runtimes put this into the 28th or the 29th in the west, by the age of their rules.
    expect(dayOf(timeZone, Date.UTC(2026, 10, 29, 7, 30))).toBe(day)
    expect(offsetAt(timeZone, Date.UTC(2026, 10, 29, 7, 30))).toBe(
      { 'America/Vancouver': -7, 'America/Edmonton': -6, 'Africa/Casablanca': 0 }[timeZone]! * HOUR_MS,
    )
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
        // Less where a clock change within the hour began another.
        const sinceFull = minute * 60 + second
        const isCut = offsetAt(timeZone, start - 1) !== offsetAt(timeZone, start)
        if (isCut) expect(Math.floor((at - start) / 1000)).toBeLessThanOrEqual(sinceFull)
        else expect(Math.floor((at - start) / 1000)).toBe(sinceFull)
        expect(hourStart(timeZone, start)).toBe(start)
        expect(hourStart(timeZone, nextHourStart(timeZone, at) - 1)).toBe(start)
        expect(hourStart(timeZone, nextHourStart(timeZone, at))).toBe(nextHourStart(timeZone, at))
      }),
    )
  })

  it('are two where a clock change repeats one', () => {
    const first = Date.UTC(2026, 9, 25, 0)
    expect(hourStart('Europe/Berlin', first + 1)).toBe(first)
    expect(hourStart('Europe/Berlin', first + HOUR_MS + 1)).toBe(first + HOUR_MS)
  })

  it.each([
    // 3:45 becomes 2:45: the first 3 o'clock lasts three quarters, the second 2 o'clock one.
    ['Pacific/Chatham', '2026-04-04T13:00Z', ['13:15', '14:00', '14:15']],
    // 2:45 becomes 3:45.
    ['Pacific/Chatham', '2026-09-26T13:00Z', ['13:15', '14:00', '14:15']],
    // 2:00 becomes 1:30.
    ['Australia/Lord_Howe', '2026-04-04T14:00Z', ['14:00', '15:00', '15:30']],
    // 2:00 becomes 2:30.
    ['Australia/Lord_Howe', '2026-10-03T14:30Z', ['14:30', '15:30', '16:00']],
  ])('of %s at its change of %s are named by their first instant and never put together', (timeZone, from, starts) => {
    const first = hourStart(timeZone, Date.parse(from.replace('Z', ':00Z')) + 1_800_000)
    const second = nextHourStart(timeZone, first)
    const found = [first, second, nextHourStart(timeZone, second)]
    expect(found.map((start) => new Date(start).toISOString().slice(11, 16))).toEqual(starts)
    for (const start of found) expect(hourStart(timeZone, start + 600_000)).toBe(start)
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

  it('has every instant of a day in its stretches, and no other', () => {
    const near = (zone: string, day: string) => {
      const middle = dayStart(zone, day) + 12 * HOUR_MS
      const from = middle - 40 * HOUR_MS
      return Array.from({ length: 80 * 60 }, (_, minute) => from + minute * 60_000)
    }
    for (const [zone, day] of [
      ['Europe/Berlin', '2026-10-25'],
      ['Europe/Berlin', '2026-03-29'],
      ['Australia/Lord_Howe', '2026-04-05'],
      // Its clocks went back at one past midnight, and so over it.
      ['America/St_Johns', '2010-11-07'],
      ['America/St_Johns', '2010-11-06'],
      ['Pacific/Apia', '2011-12-30'],
    ] as const) {
      const stretches = dayStretches(zone, day)
      for (const at of near(zone, day))
        expect(
          stretches.some(({ from, until }) => from <= at && at < until),
          `${zone} ${new Date(at).toISOString()}`,
        ).toBe(dayOf(zone, at) === day)
    }
    expect(dayStretches('America/St_Johns', '2010-11-06')).toHaveLength(2)
    expect(dayStretches('Pacific/Apia', '2011-12-30')).toEqual([])
  })

  it('knows when the wall shows a time: twice, once, or never', () => {
    const at = (zone: string, day: string, time: string) =>
      wallInstants(zone, day, Date.parse(`1970-01-01T${time}Z`)).map((instant) => new Date(instant).toISOString())
    expect(at('Europe/Berlin', '2026-11-22', '17:32')).toEqual(['2026-11-22T16:32:00.000Z'])
    expect(at('Europe/Berlin', '2026-10-25', '02:30')).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'])
    expect(at('Europe/Berlin', '2026-10-25', '03:00')).toEqual(['2026-10-25T02:00:00.000Z'])
    expect(at('Europe/Berlin', '2026-03-29', '02:30')).toEqual(['2026-03-29T01:00:00.000Z'])
    expect(at('Australia/Lord_Howe', '2026-04-05', '01:45')).toEqual([
      '2026-04-04T14:45:00.000Z',
      '2026-04-04T15:15:00.000Z',
    ])
    expect(at('Pacific/Apia', '2011-12-30', '12:00')).toEqual(['2011-12-30T10:00:00.000Z'])
  })

  it('tells a zone from other words', () => {
    expect(isZone('Europe/Berlin')).toBe(true)
    expect(isZone('Mars/Olympus')).toBe(false)
    expect(isZone('')).toBe(false)
    expect(isZone('constructor')).toBe(false)
  })

  it('knows every zone that runtimes know, and its other names', () => {
    for (const name of [
      ...Intl.supportedValuesOf('timeZone'),
      'US/Pacific',
      'GB',
      'EST5EDT',
      'europe/berlin',
      '+05:30',
    ])
      expect([name, isZone(name)]).toEqual([name, true])
    expect(isSameClock('Asia/Calcutta', 'Asia/Kolkata')).toBe(true)
    expect(isSameClock('Asia/Katmandu', 'Asia/Kathmandu')).toBe(true)
    expect(isSameClock('Europe/Kiev', 'Europe/Kyiv')).toBe(true)
    expect(isSameClock('Europe/Berlin', 'Europe/Warsaw')).toBe(false)
    expect(isSameClock('Mars/Olympus', 'Mars/Olympus')).toBe(false)
    expect(offsetAt('+05:30', 0)).toBe(5.5 * HOUR_MS)
    expect(offsetAt('-03:00', 0)).toBe(-3 * HOUR_MS)
  })
})
