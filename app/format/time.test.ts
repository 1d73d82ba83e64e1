import { describe, expect, it } from 'vitest'
import { clockText } from '../../server/analysis/zones.ts'
import {
  dayIn,
  formatDuration,
  formatInstant,
  formatMoment,
  formatOffset,
  formatRange,
  formatSeconds,
  formatShortRange,
  formatTime,
  learnClock,
  weekdayOf,
} from './time.ts'

const zones = ['Europe/Berlin', 'America/New_York', 'America/Vancouver', 'Asia/Kolkata', 'Asia/Kathmandu']
for (const timeZone of [...zones, 'America/St_Johns']) learnClock({ timeZone, clock: clockText(timeZone) })

describe('moments', () => {
  it("are told in the shop's zone, not in the machine's", () => {
    const iso = '2026-11-22T23:32:08.412Z'
    expect(formatMoment(iso, 'Europe/Berlin')).toBe('23 Nov 2026, 00:32')
    expect(formatMoment(iso, 'America/New_York')).toBe('22 Nov 2026, 18:32')
    expect(dayIn(iso, 'Asia/Kolkata')).toBe('2026-11-23')
    expect(formatSeconds(iso, 'UTC')).toBe('23:32:08')
  })

  it('go by the clock that was learned, not by the rules of whatever draws the page', () => {
    // Vancouver stays on summer time from 2026 on; a runtime with older zone rules says 23:30 of the previous day.
    const iso = '2026-11-29T07:30:00.000Z'
    expect(formatMoment(iso, 'America/Vancouver')).toBe('29 Nov 2026, 00:30')
    expect(dayIn(iso, 'America/Vancouver')).toBe('2026-11-29')
    expect(formatOffset(iso, 'America/Vancouver')).toBe('UTC−7')
    expect(formatInstant(iso, 'America/Vancouver')).toBe('2026-11-29T00:30:00.000-07:00')
    // No runtime has this offset for the zone. A clock learned later replaces it.
    learnClock({ timeZone: 'America/Whitehorse', clock: clockText('Asia/Kathmandu') })
    expect(formatMoment(iso, 'America/Whitehorse')).toBe('29 Nov 2026, 13:15')
    learnClock({ timeZone: 'America/Whitehorse', clock: clockText('America/Vancouver') })
    expect(formatMoment(iso, 'America/Whitehorse')).toBe('29 Nov 2026, 00:30')
  })

  it('begin the day at 00, never at 24', () => {
    expect(formatTime('2026-06-01T22:00:00Z', 'Europe/Berlin')).toBe('00:00')
  })

  it('are the same instants in files', () => {
    expect(formatInstant('2026-11-22T23:32:08.412Z', 'Europe/Berlin')).toBe('2026-11-23T00:32:08.412+01:00')
    expect(formatInstant('2026-11-22T23:32:08.000Z', 'America/St_Johns')).toBe('2026-11-22T20:02:08.000-03:30')
    expect(formatInstant('2026-11-22T23:32:08.000Z', 'UTC')).toBe('2026-11-22T23:32:08.000+00:00')
    for (const iso of ['1890-01-01T00:00:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'])
      expect(new Date(formatInstant(iso, 'Europe/Berlin')).toISOString()).toBe(iso)
  })

  it('name the offset of the instant', () => {
    expect(formatOffset('2026-11-22T12:00:00Z', 'Europe/Berlin')).toBe('UTC+1')
    expect(formatOffset('2026-07-22T12:00:00Z', 'Europe/Berlin')).toBe('UTC+2')
    expect(formatOffset('2026-07-22T12:00:00Z', 'Asia/Kathmandu')).toBe('UTC+5:45')
    expect(formatOffset('2026-07-22T12:00:00.999Z', 'America/St_Johns')).toBe('UTC−2:30')
    expect(formatOffset('2026-07-22T12:00:00Z', 'UTC')).toBe('UTC')
  })
})

describe('ranges', () => {
  it('name the year once, or twice where it differs', () => {
    expect(formatRange('2026-10-24', '2026-11-22')).toBe('24 Oct – 22 Nov 2026')
    expect(formatRange('2025-12-28', '2026-01-03')).toBe('28 Dec 2025 – 3 Jan 2026')
    expect(formatRange('2026-11-22', '2026-11-22')).toBe('22 Nov 2026')
    expect(formatShortRange('2026-09-01', '2026-09-30')).toBe('1 Sep – 30 Sep')
    expect(formatShortRange('2025-11-23', '2026-11-22')).toBe('23 Nov – 22 Nov')
    expect(formatShortRange('2025-11-22', '2026-11-22')).toBe('22 Nov 2025 – 22 Nov 2026')
    expect(formatShortRange('2016-12-01', '2026-11-22')).toBe('1 Dec 2016 – 22 Nov 2026')
  })

  it('know the weekday', () => {
    expect(weekdayOf('2026-11-22')).toBe('Sunday')
  })
})

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [499, '0 s'],
    [12_000, '12 s'],
    [252_000, '4 min 12 s'],
    [240_000, '4 min'],
    [3_900_000, '1 h 5 min'],
    [40 * 3_600_000, '1 day 16 h'],
    [6 * 86_400_000, '6 days'],
    [86_400_000 + 60_000, '1 day'],
  ])('%i ms is "%s"', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('of one unit are rounded down', () => {
    expect(formatDuration(845_000, 1)).toBe('14 min')
  })
})
