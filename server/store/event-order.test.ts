import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareEvents, compareText } from './event-order.ts'

describe('compareText', () => {
  it('orders as the bytes of UTF-8 do', () => {
    const text = fc.string({ unit: 'binary' })
    // Texts that share a beginning, or differ in one character only, are where an order goes wrong.
    const near = fc.tuple(text, text, text).map(([start, a, b]) => [start + a, start + b] as const)
    fc.assert(
      fc.property(near, ([a, b]) => {
        expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
      }),
      { numRuns: 2000 },
    )
  })

  it('puts a character beyond the first plane behind every other', () => {
    expect(compareText('\uff5e', '😀')).toBeLessThan(0)
    expect('\uff5e' < '😀').toBe(false)
  })
})

describe('compareEvents', () => {
  it('looks at the time, then at seq, then at the id', () => {
    const event = { occurredAt: 5, seq: 5, eventId: 'b' }
    expect(compareEvents(event, event)).toBe(0)
    expect(compareEvents(event, { occurredAt: 6, seq: 1, eventId: 'a' })).toBeLessThan(0)
    expect(compareEvents(event, { occurredAt: 5, seq: 4, eventId: 'z' })).toBeGreaterThan(0)
    expect(compareEvents(event, { occurredAt: 5, seq: 5, eventId: 'c' })).toBeLessThan(0)
  })
})
