import { describe, expect, it } from 'vitest'
import { isCommand } from './shortcuts.ts'

const key = (
  name: string,
  held: { ctrlKey?: boolean; altKey?: boolean; metaKey?: boolean; altGraph?: boolean } = {},
) => ({
  key: name,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  getModifierState: () => held.altGraph === true,
  ...held,
})

describe('a key', () => {
  it('is no command where a keyboard needs AltGr or Option to write it', () => {
    expect(isCommand(key('['))).toBe(false)
    expect(isCommand(key('[', { altGraph: true }))).toBe(false)
    expect(isCommand(key(']', { ctrlKey: true, altKey: true, altGraph: true }))).toBe(false)
    expect(isCommand(key('[', { altKey: true }))).toBe(false)
  })

  it('is one with Ctrl, Alt or Command', () => {
    expect(isCommand(key('[', { ctrlKey: true }))).toBe(true)
    expect(isCommand(key('[', { metaKey: true }))).toBe(true)
    expect(isCommand(key('c', { altKey: true }))).toBe(true)
    expect(isCommand(key('c', { ctrlKey: true, altKey: true, altGraph: true }))).toBe(true)
  })
})
