import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareText } from '../event-order.ts'
import { afterPrefix, fromOrderKey, orderKey } from './order-key.ts'

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'z', '\ud7ff', '\ue000', '\uf8ff', '\uffff', '\u{10000}', '\u{10ffff}', 'ﬀ', '😀'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 6,
})
const byUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

describe('order keys', () => {
  it('sort as the texts do by UTF-8 bytes, whether keys are compared by bytes or by UTF-16 units', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Math.sign(compareText(a, b))
        expect(Math.sign(compareText(orderKey(a), orderKey(b)))).toBe(expected)
        expect(byUnits(orderKey(a), orderKey(b))).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })

  it('give the text back', () => {
    fc.assert(
      fc.property(text, (a) => {
        expect(fromOrderKey(orderKey(a))).toBe(a)
      }),
    )
    expect(orderKey('4f9c-лена é')).toBe('4f9c-лена é')
  })

  it('of texts that begin with a prefix lie between the key of the prefix and its end', () => {
    fc.assert(
      fc.property(text, text, (prefix, other) => {
        const [first, end] = [orderKey(prefix), afterPrefix(orderKey(prefix))]
        for (const candidate of [prefix + other, other]) {
          const key = orderKey(candidate)
          const isBetween = byUnits(first, key) <= 0 && byUnits(key, end) < 0
          expect(isBetween).toBe(candidate.startsWith(prefix))
          expect(compareText(first, key) <= 0 && compareText(key, end) < 0).toBe(isBetween)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
