import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventDigest, idBesideClaim, isBesideClaim, isOtherEvent } from './event-digest.ts'
import { sampleEvent } from './sample-events.ts'
import type { StoredEvent } from './store.ts'

const same = { siteId: 's', userId: 'u', sessionId: 'v', type: 'page_view', payload: { url: '/a' } }
const digest = (over: Partial<StoredEvent> = {}) => {
  const event = sampleEvent({ ...same, ...over })
  return eventDigest(event, JSON.stringify(event.payload))
}

describe('the digest of an event', () => {
  it('is a safe integer of six bytes, the same for a repetition', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(2 ** 45), (userId, sessionId, occurredAt) => {
        const event = { userId, sessionId, occurredAt }
        expect(Number.isSafeInteger(digest(event)) && digest(event) < 2 ** 47).toBe(true)
        expect(isOtherEvent(digest(event), digest(event))).toBe(false)
      }),
    )
  })

  it('tells another event from a repetition by any of its fields', () => {
    const at = { occurredAt: 5000, receivedAt: 6000 }
    const first = digest(at)
    const others = [{ userId: 'other' }, { sessionId: 'other' }, { type: 'search' }, { payload: { url: '/b' } }]
    for (const other of others) expect(isOtherEvent(first, digest({ ...at, ...other }))).toBe(true)
    expect(isOtherEvent(first, digest({ ...at, occurredAt: 5001 }))).toBe(true)
    expect(isOtherEvent(first, digest({ ...at, receivedAt: 9000 }))).toBe(false)
  })

  it('takes an event without a time of its own, sent again later, for a repetition', () => {
    const first = digest({ occurredAt: 5000, receivedAt: 5000 })
    expect(isOtherEvent(first, digest({ occurredAt: 7000, receivedAt: 7000 }))).toBe(false)
    expect(isOtherEvent(first, digest({ occurredAt: 5000, receivedAt: 7000 }))).toBe(false)
    expect(isOtherEvent(null, first)).toBe(false)
  })

  it('rarely is that of another', () => {
    const seen = new Set(Array.from({ length: 2000 }, (_, n) => digest({ payload: { n } })))
    expect(seen.size).toBe(2000)
  })
})

describe('an event that a server states under an id that a browser claimed', () => {
  const [claimed, verified] = [digest({ trust: 'claimed' }), digest()]
  const other = digest({ payload: { url: '/b' } })

  it('is stored beside it when it says something else, or is a purchase', () => {
    expect(claimed).toBeGreaterThan(-(2 ** 47) - 1)
    expect(isOtherEvent(claimed, verified)).toBe(false)
    expect(isBesideClaim(claimed, verified, 'page_view')).toBe(false)
    expect(isBesideClaim(claimed, verified, 'purchase')).toBe(true)
    expect(isBesideClaim(claimed, other, 'page_view')).toBe(true)
  })

  it('is not stored beside what a server states, nor what a browser claims beside anything', () => {
    for (const stored of [verified, other, null])
      for (const type of ['page_view', 'purchase']) expect(isBesideClaim(stored, verified, type)).toBe(false)
    for (const stored of [verified, other, claimed]) expect(isBesideClaim(stored, claimed, 'purchase')).toBe(false)
  })

  it('has the same id each time', () => {
    expect(idBesideClaim('order-1')).toBe(idBesideClaim('order-1'))
    expect(idBesideClaim('order-1')).not.toBe(idBesideClaim('order-2'))
  })
})
