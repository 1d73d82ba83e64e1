import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toMinorUnits } from './minor-units.ts'

describe('toMinorUnits', () => {
  it.each([
    [19.99, 'EUR', 1999],
    [0.1 + 0.2, 'EUR', 30],
    [1.005, 'EUR', 101],
    [2.675, 'EUR', 268],
    [-1.005, 'EUR', -101],
    [0.004, 'EUR', 0],
    [0, 'EUR', 0],
    [5000, 'JPY', 5000],
    [0.5, 'JPY', 1],
    [1.2345, 'KWD', 1235],
    [12, 'XQQ', 1200],
    [9_999_999_999.99, 'USD', 999_999_999_999],
  ])('makes of %s %s %s', (amount, currency, expected) => {
    expect(toMinorUnits(amount, currency)).toBe(expected)
  })

  it('never gives a negative zero', () => {
    expect(Object.is(toMinorUnits(-0.001, 'EUR'), 0)).toBe(true)
  })

  it('finds every whole number of cents again that a decimal amount stands for', () => {
    const cents = fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 })
    fc.assert(
      fc.property(cents, (value) => {
        const decimal = `${value < 0 ? '-' : ''}${Math.trunc(Math.abs(value) / 100)}.${String(Math.abs(value) % 100).padStart(2, '0')}`
        expect(toMinorUnits(Number(decimal), 'EUR')).toBe(value)
      }),
    )
  })
})
