import { describe, expect, it } from 'vitest'
import { shapeOf } from './nesting.ts'

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
const tooDeep = (value: unknown, max: number) => shapeOf(bytes(value), max).tooDeep

describe('shapeOf', () => {
  it('counts the nesting of arrays and objects together', () => {
    expect(tooDeep([{ a: [1] }], 3)).toBe(false)
    expect(tooDeep([{ a: [1] }], 2)).toBe(true)
  })

  it('does not count siblings', () => {
    expect(tooDeep([[], [], [], []], 2)).toBe(false)
  })

  it('ignores brackets inside strings, also behind escaped quotes', () => {
    expect(tooDeep(['[[[[', '\\"[[[', 'x\\'], 1)).toBe(false)
  })

  it('answers for two million opening brackets without parsing them', () => {
    expect(shapeOf(Buffer.alloc(2_000_000, '['), 32).tooDeep).toBe(true)
  })

  it('measures the largest event of an array and of a batch', () => {
    const small = { a: 1, b: { c: '}' } }
    const large = { a: 'x'.repeat(500), b: { c: [{ d: 2 }] } }
    const size = bytes(large).length
    expect(shapeOf(bytes([small, large, small]), 32).largestPart).toBe(size)
    expect(shapeOf(bytes({ sentAt: 'x', batch: [small, large, small] }), 32).largestPart).toBe(size)
    expect(shapeOf(bytes([small, small]), 32).largestPart).toBe(bytes(small).length)
  })

  it.each(['}}}}', ']]]', '"', '{"a', '\\', ''])('survives %j, which is no JSON', (text) => {
    expect(shapeOf(Buffer.from(text), 32).tooDeep).toBe(false)
  })
})
