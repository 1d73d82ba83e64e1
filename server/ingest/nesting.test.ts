import { describe, expect, it } from 'vitest'
import { shapeOf } from './nesting.ts'

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
const bounds = { depth: 32, events: 2500, values: 400_000 }
const tooDeep = (value: unknown, depth: number) => shapeOf(bytes(value), { ...bounds, depth }).over === 'depth'

describe('shapeOf', () => {
  it('counts the nesting of arrays and objects together', () => {
    expect(tooDeep([{ a: [1] }], 3)).toBe(false)
    expect(tooDeep([{ a: [1] }], 2)).toBe(true)
  })

  it('makes a 0 of what nests deeper, where it is to, and leaves the rest as it is', () => {
    const cut = (value: unknown, depth: number) => {
      const body = bytes(value)
      expect(shapeOf(body, { ...bounds, depth, cutDeeper: true }).over).toBeNull()
      return JSON.parse(body.toString()) as unknown
    }
    expect(cut([{ a: [1], b: [{ c: ']}' }, 'x'] }, { d: 1 }], 3)).toEqual([{ a: [1], b: [0, 'x'] }, { d: 1 }])
    expect(cut([{ a: [1] }], 3)).toEqual([{ a: [1] }])
    const endless = Buffer.alloc(2_000_000, '[')
    shapeOf(endless, { ...bounds, cutDeeper: true })
    expect(endless.toString().trimEnd()).toBe(`${'['.repeat(32)}0`)
  })

  it('does not count siblings', () => {
    expect(tooDeep([[], [], [], []], 2)).toBe(false)
  })

  it('ignores brackets inside strings, also behind escaped quotes', () => {
    expect(tooDeep(['[[[[', '\\"[[[', 'x\\'], 1)).toBe(false)
  })

  it('answers for two million opening brackets without parsing them', () => {
    expect(shapeOf(Buffer.alloc(2_000_000, '['), bounds).over).toBe('depth')
  })

  it('measures the largest event of an array and of a batch', () => {
    const small = { a: 1, b: { c: '}' } }
    const large = { a: 'x'.repeat(500), b: { c: [{ d: 2 }] } }
    const size = bytes(large).length
    expect(shapeOf(bytes([small, large, small]), bounds).largestPart).toBe(size)
    expect(shapeOf(bytes({ sentAt: 'x', batch: [small, large, small] }), bounds).largestPart).toBe(size)
    expect(shapeOf(bytes([small, small]), bounds).largestPart).toBe(bytes(small).length)
  })

  it.each(['}}}}', ']]]', '"', '{"a', '\\', ''])('survives %j, which is no JSON', (text) => {
    expect(shapeOf(Buffer.from(text), bounds).over).toBeNull()
  })

  it.each<[string, number]>([
    ['[]', 0],
    [' [ \n\t]', 0],
    ['[1]', 1],
    ['[{},{"a":[1,2,3]},[4,5]]', 3],
    ['{"type":"x","payload":{"batch":[1,2]}}', 1],
    ['{"batch":[]}', 0],
    ['{"batch" : [{},{}], "sentAt":"a,b"}', 2],
    ['{"other":[1,2,3],"batch":[{},{}],"more":[1,2,3]}', 2],
    ['{"a":"batch","other":[1,2,3]}', 1],
    ['{"batch":[1,2,3],"batch":[4]}', 1],
    ['["batch",[1,2,3]]', 2],
  ])('counts the events of %s', (text, events) => {
    expect(shapeOf(Buffer.from(text), bounds).events).toBe(events)
  })

  it.each<[string, number]>([
    ['{}', 0],
    ['[[],{ }]', 2],
    ['{"a":1,"b":[1,2,{"c":null}]}', 6],
  ])('counts the values of %s', (text, values) => {
    expect(shapeOf(Buffer.from(text), bounds).values).toBe(values)
  })

  it('stops at the first event too many, and at the first value', () => {
    const list = Buffer.from(`[${'{},'.repeat(1_000_000)}{}]`)
    expect(shapeOf(list, bounds)).toMatchObject({ over: 'events', events: 2501 })
    const inside = Buffer.from(`[{"a":[${'{},'.repeat(1_000_000)}{}]}]`)
    expect(shapeOf(inside, bounds)).toMatchObject({ over: 'values', values: 400_001 })
  })
})
