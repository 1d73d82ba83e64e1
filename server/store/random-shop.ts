import fc from 'fast-check'
import type { Site, Trust } from '../../trpc/schema/common.ts'
import type { EventBatch, StoredEvent } from './store.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Zones with a clock change, each with an instant near it; Kathmandu is 5:45 ahead all year. */
const changes: { zone: string; near: number }[] = [
  { zone: 'Europe/Berlin', near: Date.UTC(2026, 9, 25, 1) },
  { zone: 'Europe/Berlin', near: Date.UTC(2026, 2, 29, 1) },
  { zone: 'Asia/Kathmandu', near: Date.UTC(2026, 8, 30, 18, 15) },
  { zone: 'America/St_Johns', near: Date.UTC(2026, 10, 1, 4, 30) },
  { zone: 'America/St_Johns', near: Date.UTC(2026, 2, 8, 5, 30) },
  { zone: 'Australia/Lord_Howe', near: Date.UTC(2026, 3, 4, 15) },
  { zone: 'Australia/Lord_Howe', near: Date.UTC(2026, 9, 3, 15, 30) },
]

/** 'ﬀ' and '😀' sort one way as UTF-16 and the other as UTF-8; the rest are prefixes of each other. */
const userIds = ['u', 'u1', 'u2', 'ua', 'U1', 'uﬀ', 'u😀', '%', 'ué']
const sessionIds = ['s1', 's2', 's3', 'sﬀ', 's😀']
const types = ['page_view', 'search', 'purchase', 'purchase', 'purchase', 'add_to_cart']
const eventIds = [
  ...Array.from({ length: 40 }, (_, n) => `0190b3c4-0000-7000-8000-0000000000${String(n).padStart(2, '0')}`),
  ...Array.from({ length: 20 }, (_, n) => `order-event-${n}`),
  // Not canonical: these are other ids than their small-lettered form.
  '0190B3C4-0000-7000-8000-000000000001',
  '0190b3c400007000800000000000000000001',
]

export interface RandomShop {
  site: Site
  /** In the order of running; some ids come again with the same events. */
  batches: EventBatch[]
  /** Every time that occurs is within a few weeks of it. */
  near: number
}

/** Mostly of a few orders and amounts, so that orders are repeated, alike and not; some cannot be read. */
const payload = fc.record({
  orderId: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F') },
    fc.constantFrom(7, '7', '', null, {}),
  ),
  revenue: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(0, 1, 19.99, 0.1, 1.005, 250, '19.99') },
    fc.constantFrom(-5, '19,99', '4.245', null, 1e15),
  ),
  currency: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('EUR', 'EUR', 'EUR', 'JPY', 'KWD', 'CLF', 'HUF', 'RSD') },
    fc.constantFrom('eur', ' USD ', 'XXX', '', undefined),
  ),
})

function storedEvent(siteId: string, near: number): fc.Arbitrary<StoredEvent> {
  const offset = fc.oneof(
    // Close to the clock change and to midnight, now and then weeks away, in other months.
    fc.integer({ min: -40, max: 40 }).map((steps) => steps * 15 * MINUTE_MS),
    fc.integer({ min: -30, max: 30 }).map((days) => days * DAY_MS),
    fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }),
  )
  return fc
    .record({
      eventId: fc.constantFrom(...eventIds),
      userId: fc.constantFrom(...userIds),
      sessionId: fc.constantFrom(...sessionIds),
      type: fc.constantFrom(...types),
      offset,
      delay: fc.constantFrom(0, 5, 5000, DAY_MS),
      seq: fc.integer({ min: 1, max: 4 }),
      trust: fc.constantFrom<Trust[]>('verified', 'claimed'),
      purchase: payload,
      broken: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    })
    .map(({ type, offset: fromNear, delay, purchase, broken, ...rest }) => ({
      ...rest,
      siteId,
      type,
      payload: type === 'purchase' ? purchase : type === 'search' ? null : { url: '/', nested: { a: ['\u0000', 1] } },
      occurredAt: near + fromNear,
      receivedAt: near + fromNear + delay,
      issues: broken ? [{ path: 'items', message: 'is missing' }] : null,
    }))
}

/** A shop whose events come late, twice, in any order and around a change of its clocks. */
export function randomShop(maxBatches = 12): fc.Arbitrary<RandomShop> {
  return fc.constantFrom(...changes).chain(({ zone, near }) => {
    const site: Site = { id: 'shop', name: 'Shop', timeZone: zone, currency: 'EUR' }
    const events = fc.array(storedEvent(site.id, near), { maxLength: 15 })
    return fc
      .array(fc.record({ events, again: fc.integer({ min: 0, max: 30 }) }), { minLength: 1, maxLength: maxBatches })
      .map((drawn) => {
        const batches: EventBatch[] = []
        for (const [index, { events: own, again }] of drawn.entries()) {
          batches.push({ id: `batch-${index}`, events: own })
          const earlier = batches[again]
          if (earlier && again < index) batches.push(earlier)
        }
        return { site, batches, near }
      })
  })
}
