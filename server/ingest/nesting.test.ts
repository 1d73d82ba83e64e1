import { describe, expect, it } from 'vitest'
import { nestsDeeper } from './nesting.ts'

const bytes = (text: string) => Buffer.from(text)

describe('nestsDeeper', () => {
  it('counts arrays and objects together', () => {
    expect(nestsDeeper(bytes('[{"a":[1]}]'), 3)).toBe(false)
    expect(nestsDeeper(bytes('[{"a":[1]}]'), 2)).toBe(true)
  })

  it('does not count siblings', () => {
    expect(nestsDeeper(bytes('[[],[],[],[]]'), 2)).toBe(false)
  })

  it('ignores brackets inside strings, also behind escaped quotes', () => {
    expect(nestsDeeper(bytes(JSON.stringify(['[[[[', '\\"[[[', 'x\\'])), 1)).toBe(false)
  })

  it('answers for two million opening brackets without parsing them', () => {
    expect(nestsDeeper(Buffer.alloc(2_000_000, '['), 32)).toBe(true)
  })
})
