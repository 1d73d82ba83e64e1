import { beforeAll, describe, expect, it } from 'vitest'
import { countWithin } from '../../analysis/event-bytes.ts'
import { DAY_MS, MINUTE_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { JourneyQuery, SessionRow, Store, StoredEvent } from '../store.ts'

export function describeJourneys(store: () => Store): void {
  describe('journeys', () => {
    const site = sampleSite()
    const siteId = site.id
    // Seven events in each of five months, every third a search.
    const events: StoredEvent[] = Array.from({ length: 35 }, (_, n) =>
      sampleEvent({
        siteId,
        sessionId: `s${Math.floor(n / 5)}`,
        type: n % 3 === 0 ? 'search' : 'page_view',
        occurredAt: NOON - (n % 5) * 31 * DAY_MS + Math.floor(n / 5) * MINUTE_MS,
      }),
    )
    const inOrder = [...events].sort((a, b) => a.occurredAt - b.occurredAt)

    beforeAll(async () => {
      await store().saveSite(site)
      await store().insertBatch(sampleBatch(...events))
      await store().insertBatch(sampleBatch(sampleEvent({ siteId, userId: 'noah' })))
    })

    const journey = (query: Partial<JourneyQuery> = {}) =>
      store().journey({ siteId, userId: 'lena', order: 'desc', limit: 1000, ...query })

    it('gives every event of the user over all months, newest or oldest first', async () => {
      expect(await journey()).toEqual([...inOrder].reverse())
      expect(await journey({ order: 'asc' })).toEqual(inOrder)
    })

    it.each(['asc', 'desc'] as const)('pages %s by key, each event once', async (order) => {
      const all: StoredEvent[] = []
      let page = await journey({ order, limit: 4 })
      while (page.length > 0) {
        expect(page.length).toBeLessThanOrEqual(4)
        all.push(...page)
        page = await journey({ order, limit: 4, after: page.at(-1) })
      }
      expect(all).toEqual(order === 'asc' ? inOrder : [...inOrder].reverse())
    })

    it('filters by time, from included and to not', async () => {
      const [from, to] = [inOrder[10]!.occurredAt, inOrder[20]!.occurredAt]
      expect(await journey({ order: 'asc', from, to })).toEqual(inOrder.slice(10, 20))
      expect(await journey({ from: to, to: from })).toEqual([])
      expect(await journey({ from: NOON + DAY_MS })).toEqual([])
    })

    it('filters by type and session, also both and with a key', async () => {
      expect(await journey({ order: 'asc', type: 'search' })).toEqual(inOrder.filter((e) => e.type === 'search'))
      expect(await journey({ order: 'asc', sessionId: 's3' })).toEqual(inOrder.filter((e) => e.sessionId === 's3'))
      const both = inOrder.filter((e) => e.sessionId === 's3' && e.type === 'search')
      expect(both.length).toBeGreaterThan(0)
      expect(await journey({ order: 'asc', sessionId: 's3', type: 'search' })).toEqual(both)
      const searches = inOrder.filter((e) => e.type === 'search')
      expect(await journey({ order: 'asc', type: 'search', after: searches[3], limit: 2 })).toEqual(
        searches.slice(4, 6),
      )
      expect(await journey({ type: 'never_seen' })).toEqual([])
      expect(await journey({ sessionId: 'never seen' })).toEqual([])
    })

    it('ends behind the first event that has no room in the bytes asked for, and leads on from any', async () => {
      const { id } = await store().saveSite(sampleSite())
      const large = Array.from({ length: 9 }, (_, n) =>
        sampleEvent({ siteId: id, occurredAt: NOON + n, payload: { url: 'x'.repeat(n % 3 === 0 ? 30_000 : 1000) } }),
      )
      await store().insertBatch(sampleBatch(...large))
      for (const order of ['asc', 'desc'] as const)
        for (const maxBytes of [1, 10_000, 35_000, 70_000, 1_000_000]) {
          const seen: StoredEvent[] = []
          for (;;) {
            const rows = await store().journey({
              siteId: id,
              userId: 'lena',
              order,
              limit: 8,
              maxBytes,
              after: seen.at(-1),
            })
            const count = countWithin(rows, maxBytes)
            expect(rows.length).toBeLessThanOrEqual(count + 1)
            seen.push(...rows.slice(0, count))
            if (rows.length === 0) break
          }
          expect(seen).toEqual(order === 'asc' ? large : [...large].reverse())
        }
    })

    it('gives nothing for a user that is not there', async () => {
      expect(await journey({ userId: 'nobody' })).toEqual([])
      expect(await store().sessions({ siteId, userId: 'nobody', limit: 10 })).toEqual([])
    })

    it('orders events of one instant by seq, then by their ids as texts, and pages through them', async () => {
      const { id } = await store().saveSite(sampleSite())
      const ids = ['😀', 'ﬀ', 'zz', '0190b3c4-0000-7000-8000-000000000001', '0190b3c4', 'B', 'a']
      const sorted = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      await store().insertBatch(sampleBatch(...ids.map((eventId) => sampleEvent({ siteId: id, eventId, seq: 7 }))))
      await store().insertBatch(sampleBatch(sampleEvent({ siteId: id, eventId: 'last by seq', seq: 8 })))
      sorted.push('last by seq')
      for (const order of ['asc', 'desc'] as const) {
        const seen: string[] = []
        let after: StoredEvent | undefined
        for (;;) {
          const page = await store().journey({ siteId: id, userId: 'lena', order, limit: 3, after })
          seen.push(...page.map((event) => event.eventId))
          after = page.at(-1)
          if (!after) break
        }
        expect(seen).toEqual(order === 'asc' ? sorted : [...sorted].reverse())
      }
    })
  })

  describe('sessions', () => {
    it('gives newest start first, with numbers by start, ends, counts and money', async () => {
      const { id: siteId } = await store().saveSite(sampleSite())
      await store().insertBatch(
        sampleBatch(
          sampleEvent({ siteId, sessionId: 'b', occurredAt: NOON }),
          sampleEvent({ siteId, sessionId: 'b', occurredAt: NOON + MINUTE_MS }),
          sampleEvent({ siteId, sessionId: 'a', occurredAt: NOON + DAY_MS }),
          samplePurchase({ siteId, sessionId: 'a', occurredAt: NOON + DAY_MS + MINUTE_MS }),
        ),
      )
      const a = {
        sessionId: 'a',
        number: 2,
        start: NOON + DAY_MS,
        end: NOON + DAY_MS + MINUTE_MS,
        events: 2,
        orders: 1,
        money: [
          {
            ...{ currency: 'EUR', decimals: 2, orders: 1, gross: 2000 },
            ...{ verified: { orders: 1, gross: 2000 }, claimed: { orders: 0, gross: 0 } },
          },
        ],
      }
      const b = { sessionId: 'b', number: 1, start: NOON, end: NOON + MINUTE_MS, events: 2, orders: 0, money: [] }
      expect(await store().sessions({ siteId, userId: 'lena', limit: 10 })).toEqual([a, b])
    })

    it('pages by key and finds sessions by their ids with the same numbers', async () => {
      const { id: siteId } = await store().saveSite(sampleSite())
      // Starts in pairs, so that half of the order is by session id.
      const names = Array.from({ length: 21 }, (_, n) => `s${n}`)
      const events = names.map((sessionId, n) =>
        sampleEvent({ siteId, sessionId, occurredAt: NOON + Math.floor(n / 2) * MINUTE_MS }),
      )
      await store().insertBatch(sampleBatch(...events))
      const all = await store().sessions({ siteId, userId: 'lena', limit: 100 })
      expect(all.map((row) => row.number)).toEqual(all.map((_, index) => all.length - index))
      const paged: SessionRow[] = []
      let page = await store().sessions({ siteId, userId: 'lena', limit: 4 })
      while (page.length > 0) {
        paged.push(...page)
        const { start, sessionId } = page.at(-1)!
        page = await store().sessions({ siteId, userId: 'lena', limit: 4, after: { start, sessionId } })
      }
      expect(paged).toEqual(all)
      const ids = ['s3', 's14', 'not there', 's0', 's3']
      const found = await store().sessions({ siteId, userId: 'lena', limit: 100, ids })
      expect(found).toEqual(all.filter((row) => ids.includes(row.sessionId)))
      expect(await store().sessions({ siteId, userId: 'lena', limit: 100, ids: [] })).toEqual([])
    })
  })
}
