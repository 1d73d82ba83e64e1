import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareText } from '../../event-order.ts'
import { textAfter } from './prefix.ts'

const text = fc.string({ unit: 'binary', maxLength: 4 })

it('parts the texts that begin with the prefix from all that come after', () => {
  fc.assert(
    fc.property(text, text, (prefix, other) => {
      const end = textAfter(prefix)
      if (end === null) return
      expect(compareText(prefix + other, end)).toBeLessThan(0)
      if (compareText(other, prefix) > 0 && !other.startsWith(prefix))
        expect(compareText(other, end)).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 2000 },
  )
})

it.each([
  ['a', 'b'],
  ['az', 'a{'],
  ['\ud7ff', '\ue000'],
  ['a\u{10ffff}', 'b'],
  ['\uffff', '\u{10000}'],
])('after %j comes %j', (prefix, end) => {
  expect(textAfter(prefix)).toBe(end)
})

it('knows when nothing comes after', () => {
  expect(textAfter('')).toBeNull()
  expect(textAfter('\u{10ffff}\u{10ffff}')).toBeNull()
})
