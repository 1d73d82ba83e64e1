import { describe, expect, it } from 'vitest'
import { sampleBatch, sampleEvent, samplePurchase } from '../../sample-events.ts'
import type { StoredEvent } from '../../store.ts'
import { joined, partsOf } from './batch-parts.ts'
import { figuresOf, packFigures, type Summary, siteSummary } from './summary.ts'

const MEGABYTE = 1024 * 1024
const siteId = 'shop'
const purchase = (orderId: string, over: Partial<StoredEvent> = {}): StoredEvent => {
  const event = samplePurchase({ siteId, ...over })
  return { ...event, payload: { ...event.payload, orderId } }
}
const many = (count: number, event: (index: number) => StoredEvent) =>
  sampleBatch(...Array.from({ length: count }, (_, index) => event(index)))

function figuresBytes(events: readonly StoredEvent[]): number {
  const summary: Summary = new Map()
  for (const event of events) {
    const orderId = event.payload?.orderId
    const order = typeof orderId === 'string' ? { purchase: { orderId, currency: 'EUR', gross: 123_456 } } : null
    siteSummary(summary, event.siteId).add(event, 'UTC', order)
  }
  return packFigures(figuresOf(summary)).length
}

describe('the parts of a batch', () => {
  it('are the batch itself as long as its figures fit into a document', () => {
    const backlog = many(8000, (index) =>
      sampleEvent({ siteId, userId: `a user with a long name ${index}`.padEnd(60, '.') }),
    )
    expect(partsOf(backlog)).toEqual([backlog])
    expect(partsOf(backlog)[0]).toBe(backlog)
    // The bound of the first look is far above what it comes to.
    const orders = many(4000, (index) => purchase(`${index}`.padEnd(512, 'o')))
    expect(partsOf(orders)).toEqual([orders])
  })

  it('have figures that fit, with the longest ids in the widest characters, and all events in their order', () => {
    const wide = (text: string) => text.padEnd(256, '\u001f')
    for (const batch of [
      many(2000, (index) => purchase(`${index}`.padEnd(4096, 'あ'))),
      many(4000, (index) => purchase(`${index}`, { userId: wide(`u${index}`), sessionId: wide(`s${index}`) })),
      // Each a day and an hour of its own.
      many(45_000, (index) => sampleEvent({ siteId, userId: `${index}`, occurredAt: index * 90_000_000 })),
    ]) {
      const parts = partsOf(batch)
      expect(parts.length).toBeGreaterThan(1)
      expect(parts.flatMap(({ events }) => events)).toEqual(batch.events)
      expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length)
      for (const { events } of parts) expect(figuresBytes(events)).toBeLessThan(12 * MEGABYTE)
      expect(partsOf(batch)).toEqual(parts)
    }
  })

  it('come to one outcome', () => {
    expect(
      joined([
        { fates: ['stored', 'refused'], reasons: { 1: 'a' }, stored: 1, duplicate: 0, refused: 1 },
        { fates: ['refused', 'duplicate'], reasons: { 0: 'b' }, stored: 0, duplicate: 1, refused: 1 },
      ]),
    ).toEqual({
      fates: ['stored', 'refused', 'refused', 'duplicate'],
      reasons: { 1: 'a', 2: 'b' },
      ...{ stored: 1, duplicate: 1, refused: 2 },
    })
  })
})
