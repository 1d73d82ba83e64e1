import { describe, expect, it } from 'vitest'
import { placeOf } from './places.ts'

describe('the place of a page', () => {
  it('is how it is looked at, and not which part of a list is there', () => {
    expect(placeOf('/dashboard', '?range=7d&compare=year')).toBe('/dashboard?range=7d&compare=year')
    expect(placeOf('/users', '?sort=orders&order=desc&cursor=abc')).toBe('/users?sort=orders&order=desc')
    expect(placeOf('/users', '?cursor=abc')).toBe('/users')
    expect(placeOf('/users', '')).toBe('/users')
  })
})
