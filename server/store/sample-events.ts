import type { Site } from '../../trpc/schema/common.ts'
import type { EventBatch, StoredEvent } from './store.ts'

/** Noon of Sunday, 22 November 2026 in Berlin. */
export const NOON = Date.UTC(2026, 10, 22, 11)
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

let last = 0
function next(): number {
  last += 1
  return last
}

export function sampleSite(site: Partial<Site> = {}): Site {
  return { id: `site-${next()}`, name: 'Shop', timeZone: 'Europe/Berlin', currency: 'EUR', ...site }
}

/** An event of its own id and seq; whatever matters to a test is in `event`. */
export function sampleEvent(event: Partial<StoredEvent> & { siteId: string }): StoredEvent {
  const seq = next()
  const occurredAt = event.occurredAt ?? NOON
  return {
    eventId: `0190b3c4-0000-7000-8000-${String(seq).padStart(12, '0')}`,
    userId: 'lena',
    sessionId: 'first',
    type: 'page_view',
    payload: { url: '/tents' },
    receivedAt: occurredAt,
    seq,
    trust: 'verified',
    issues: null,
    ...event,
    occurredAt,
  }
}

export function samplePurchase(
  event: Partial<StoredEvent> & { siteId: string },
  order: Record<string, unknown> = {},
): StoredEvent {
  const payload = { orderId: 'A-1', revenue: 20, currency: 'EUR', items: [], ...order }
  return sampleEvent({ type: 'purchase', payload, ...event })
}

export function sampleBatch(...events: StoredEvent[]): EventBatch {
  return { id: `batch-${next()}`, events }
}
