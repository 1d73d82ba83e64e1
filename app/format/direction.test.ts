import { describe, expect, it } from 'vitest'
import { isolated, withEscapedTurns, withoutTurns } from './direction.ts'
import { formatAmount } from './money.ts'

const name = 'Tent\u202e 99,1'

describe('texts that turn others round', () => {
  it('are seen in JSON, which stays the same value', () => {
    const json = withEscapedTurns(JSON.stringify({ name }))
    expect(json).toBe('{"name":"Tent\\u202e 99,1"}')
    expect(JSON.parse(json)).toEqual({ name })
  })

  it('are held together where no element can', () => {
    expect(isolated(name)).toBe(`\u2068${name}\u2069`)
    expect(isolated('cust-1')).toBe('cust-1')
  })

  it('have no power in a figure', () => {
    expect(withoutTurns(name)).toBe('Tent 99,1')
    expect(formatAmount(12.5, '\u202eEU')).toBe('EU\u00a012.50')
  })
})
