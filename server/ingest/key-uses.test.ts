import { describe, expect, it } from 'vitest'
import { createKeyUses, digestOf } from './key-uses.ts'

const a = { type: 'page_view', userId: 'a' }
const b = { type: 'page_view', userId: 'b' }

describe('uses of an Idempotency-Key', () => {
  it('may be repeated with the same events', () => {
    const uses = createKeyUses()
    uses.claim('site', 'verified', 'key', digestOf([a, b]))
    uses.claim('site', 'verified', 'key', digestOf([{ ...a }, { ...b }]))
  })

  it.each([
    ['another event', [b, b]],
    ['fewer events', [a]],
    ['more events', [a, b, a]],
    ['another order', [b, a]],
  ])('are refused with %s', (_name, events) => {
    const uses = createKeyUses()
    uses.claim('site', 'verified', 'key', digestOf([a, b]))
    expect(() => uses.claim('site', 'verified', 'key', digestOf(events))).toThrow(
      expect.objectContaining({ code: 'invalid_input', field: 'Idempotency-Key' }),
    )
    uses.claim('site', 'verified', 'key', digestOf([a, b]))
  })

  it('are apart for every key and site, and for what browsers claim', () => {
    const uses = createKeyUses()
    uses.claim('site', 'claimed', 'key', digestOf([b]))
    uses.claim('site', 'verified', 'key', digestOf([a]))
    uses.claim('site', 'verified', 'other', digestOf([b]))
    uses.claim('another', 'verified', 'key', digestOf([b]))
  })

  it('are forgotten beyond a bound, those last used last', () => {
    const uses = createKeyUses(2)
    uses.claim('site', 'verified', '1', digestOf([a]))
    uses.claim('site', 'verified', '2', digestOf([a]))
    uses.claim('site', 'verified', '1', digestOf([a]))
    uses.claim('site', 'verified', '3', digestOf([a]))
    expect(() => uses.claim('site', 'verified', '1', digestOf([b]))).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    )
    uses.claim('site', 'verified', '2', digestOf([b]))
  })
})
