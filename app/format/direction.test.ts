import { describe, expect, it } from 'vitest'
import { seen, seenOnOneLine, withEscapedUnseen, withoutTurns } from './direction.ts'
import { formatAmount } from './money.ts'

const name = 'Tent\u202e 99,1'

describe('characters that are not seen, or turn others round', () => {
  it('are seen in JSON, which stays the same value', () => {
    const value = { name, tag: '\u{e0041}', lines: 'a\nb' }
    const json = withEscapedUnseen(JSON.stringify(value, null, 2))
    expect(json).toContain('"name": "Tent\\u202e 99,1"')
    expect(json).toContain('\n  "tag": "\\udb40\\udc41"')
    expect(JSON.parse(json)).toEqual(value)
  })

  it.each([
    [name, 'Tent‹U+202E› 99,1'],
    ['ana\u200b', 'ana‹U+200B›'],
    ['ana\u200d', 'ana‹U+200D›'],
    ['a\u200cb\0\ufeff', 'a‹U+200C›b‹U+0000›‹U+FEFF›'],
    ['a\u{e0041}', 'a‹U+E0041›'],
    ['a\nb', 'a‹U+000A›b'],
  ])('are seen in an id: %j', (text, shown) => {
    expect(seen(text)).toBe(shown)
  })

  it('stay where a script or an emoji needs them', () => {
    for (const text of ['می\u200cخواهم', '👩\u200d👧', 'cust-1', 'Zoë', 'שלום']) expect(seen(text)).toBe(text)
    expect(seenOnOneLine('a\r\n\tb')).toBe('a b')
  })

  it('have no power in a figure', () => {
    expect(withoutTurns(name)).toBe('Tent 99,1')
    expect(formatAmount(12.5, '\u202eEU')).toBe('EU\u00a012.50')
  })
})
