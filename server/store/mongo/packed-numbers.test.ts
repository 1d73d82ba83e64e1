import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packAscending, packNumbers, unpackAscending, unpackNumbers } from './packed-numbers.ts'
import { packPairs, unpackPairs } from './pairs.ts'

const whole = fc.integer({ min: -(2 ** 51), max: 2 ** 51 })

describe('packed numbers', () => {
  it('come back, of either sign and any size', () => {
    fc.assert(
      fc.property(fc.array(whole), (numbers) => {
        expect(unpackNumbers(packNumbers(numbers))).toEqual(numbers)
      }),
    )
    expect(packNumbers([])).toHaveLength(0)
  })

  it('take a byte for each of a series of days', () => {
    const days = Array.from({ length: 365 }, (_, index) => 20_000 + index)
    expect(unpackAscending(packAscending(days))).toEqual(days)
    expect(packAscending(days).length).toBe(367)
  })

  it('come back as pairs, without those that nobody is left in', () => {
    const pairs = new Map([
      [19_000, 3],
      [-2, 500],
      [20_000, 0],
      [-1, 1],
    ])
    expect([...unpackPairs(packPairs(pairs))]).toEqual([
      [-2, 500],
      [-1, 1],
      [19_000, 3],
    ])
  })
})
