import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readInstant } from './instant.ts'

const AT = Date.UTC(2026, 10, 22, 14, 32, 8)
const ms = (value: string | number) => {
  const reading = readInstant(value)
  return 'ms' in reading ? reading.ms : reading.fault
}

describe('readInstant', () => {
  it.each<[string | number, number]>([
    ['2026-11-22T14:32:08Z', AT],
    ['2026-11-22t14:32:08z', AT],
    ['2026-11-22 14:32:08Z', AT],
    ['2026-11-22T15:32:08+01:00', AT],
    ['2026-11-22T14:32:08+0000', AT],
    ['2026-11-22T15:32:08+01', AT],
    ['2026-11-22 09:02:08 -0530', AT],
    ['2026-11-22T14:32Z', AT - 8000],
    ['2026-11-22T14:32:08.1Z', AT + 100],
    ['2026-11-22T14:32:08.123456789Z', AT + 123],
    ['2026-11-22T14:32:08,999999Z', AT + 999],
    ['2026-06-30T23:59:60Z', Date.UTC(2026, 6, 1)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    [' 2026-11-22T14:32:08Z ', AT],
    [AT, AT],
    [AT + 0.75, AT],
    [`${AT}`, AT],
    [`${AT}.5`, AT],
    ['1960-01-01T00:00:00Z', Date.UTC(1960, 0, 1)],
  ])('reads %j', (value, instant) => expect(ms(value)).toBe(instant))

  it.each<[string | number, RegExp]>([
    ['2026-11-22T14:32:08', /no time zone/],
    ['2026-11-22', /names a day/],
    ['2026-02-30T00:00:00Z', /no clock shows/],
    ['2026-13-01T00:00:00Z', /no clock shows/],
    ['2026-01-01T24:00:00Z', /no clock shows/],
    ['2026-01-01T00:60:00Z', /no clock shows/],
    ['2026-01-01T00:00:00+24:00', /no clock shows/],
    ['yesterday', /ISO 8601/],
    ['', /ISO 8601/],
    [1_795_000_000, /multiply it by 1000/],
    ['1795000000', /multiply it by 1000/],
    [1e300, /ISO 8601/],
    [Number.NaN, /ISO 8601/],
  ])('refuses %j', (value, fault) => expect(ms(value)).toMatch(fault))

  it('reads what every clock writes, whatever the offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -1439, max: 1439 }), (instant, minutes) => {
        const local = new Date(instant + minutes * 60_000).toISOString().slice(0, -1)
        const two = (n: number) => String(n).padStart(2, '0')
        const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
        if (local.length === 23) expect(ms(local + offset)).toBe(instant)
      }),
    )
  })
})
