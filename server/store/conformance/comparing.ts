import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { Store, StoredEvent, UntilRow } from '../store.ts'
import type { OpenedStore } from './opened-store.ts'

export function describeComparing(store: () => Store, open: () => Promise<OpenedStore>): void {
  const from = '2026-11-22'
  async function newSite(timeZone = 'Europe/Berlin'): Promise<string> {
    return (await store().saveSite(sampleSite({ timeZone }))).id
  }
  async function insert(...events: StoredEvent[]): Promise<void> {
    expect((await store().insertBatch(sampleBatch(...events))).stored).toBe(events.length)
  }
  async function until(siteId: string, until: number, days = { from, to: from }): Promise<UntilRow> {
    const row = await store().overviewUntil({ siteId, ...days, until })
    if ('missing' in row) throw new Error(`the figures are missing: ${row.missing}`)
    return row
  }

  describe('figures up to an instant', () => {
    it('count what occurred before it and nothing of that instant', async () => {
      const siteId = await newSite()
      await insert(
        sampleEvent({ siteId, userId: 'a', occurredAt: NOON - HOUR_MS - 1 }),
        sampleEvent({ siteId, userId: 'b', type: 'search', occurredAt: NOON - 1 }),
        sampleEvent({ siteId, userId: 'c', occurredAt: NOON }),
      )
      const row = await until(siteId, NOON)
      expect(row).toMatchObject({ events: 2, users: 2, sessions: 2, lastHour: 1 })
      expect(row.days).toMatchObject([{ day: from, events: 2, users: 2, sessions: 2 }])
      expect(row.types.map(({ type, events }) => `${type} ${events}`).sort()).toEqual(['page_view 1', 'search 1'])
      expect((await until(siteId, NOON + 1)).events).toBe(3)
      expect(await until(siteId, NOON - 2 * HOUR_MS)).toMatchObject({ events: 0, users: 0, days: [], types: [] })
    })

    it('count users of whole days and of the part once', async () => {
      const siteId = await newSite()
      const day = 24 * HOUR_MS
      await insert(
        sampleEvent({ siteId, userId: 'both', occurredAt: NOON - day }),
        sampleEvent({ siteId, userId: 'both', occurredAt: NOON - 1 }),
        sampleEvent({ siteId, userId: 'part', occurredAt: NOON - 1 }),
        sampleEvent({ siteId, userId: 'part', occurredAt: NOON - 3 * day }),
        sampleEvent({ siteId, userId: 'after', occurredAt: NOON + 1 }),
        sampleEvent({ siteId, userId: 'whole', occurredAt: NOON - day }),
      )
      const row = await until(siteId, NOON, { from: '2026-11-21', to: from })
      expect(row).toMatchObject({ users: 3, events: 4 })
      expect(row.days.map(({ users }) => users)).toEqual([2, 2])
    })

    it('count sessions that began before it, and as ordering those whose order came before it', async () => {
      const siteId = await newSite()
      await insert(
        sampleEvent({ siteId, userId: 'a', sessionId: 's', occurredAt: NOON - HOUR_MS }),
        samplePurchase({ siteId, userId: 'a', sessionId: 's', occurredAt: NOON + 1 }, { orderId: 'late' }),
        samplePurchase({ siteId, userId: 'b', sessionId: 's', occurredAt: NOON - 1 }, { orderId: 'early' }),
        // Begun the day before: it counts there.
        sampleEvent({ siteId, userId: 'c', sessionId: 's', occurredAt: NOON - 13 * HOUR_MS }),
        sampleEvent({ siteId, userId: 'c', sessionId: 's', occurredAt: NOON - 2 }),
      )
      expect(await until(siteId, NOON)).toMatchObject({ sessions: 2, orderingSessions: 1, orders: 1, users: 3 })
      expect(await until(siteId, NOON + 2)).toMatchObject({ sessions: 2, orderingSessions: 2, orders: 2 })
    })

    it('take an order by the purchase that counts, wherever that lies', async () => {
      const siteId = await newSite()
      const claimed = samplePurchase(
        { siteId, trust: 'claimed', occurredAt: NOON - 2, seq: 1 },
        { orderId: 'A', revenue: 10, currency: 'EUR' },
      )
      await insert(claimed)
      expect((await until(siteId, NOON)).money).toMatchObject([{ orders: 1, gross: 1000 }])
      // A verified one counts instead, and came after the instant.
      await insert(
        samplePurchase({ siteId, occurredAt: NOON + 1, seq: 2 }, { orderId: 'A', revenue: 12, currency: 'EUR' }),
      )
      const row = await until(siteId, NOON)
      expect(row).toMatchObject({ orders: 0, money: [], orderingSessions: 0 })
      expect(row.aside).toMatchObject([{ reason: 'other_amount', purchases: 1, gross: 1000 }])
      expect((await until(siteId, NOON + 2)).money).toMatchObject([{ orders: 1, gross: 1200 }])
    })

    it('know both hours of one name', async () => {
      const siteId = await newSite()
      const second = Date.UTC(2026, 9, 25, 1)
      await insert(
        sampleEvent({ siteId, userId: 'a', occurredAt: second - HOUR_MS }),
        sampleEvent({ siteId, userId: 'b', occurredAt: second }),
        sampleEvent({ siteId, userId: 'c', occurredAt: second + 31 * MINUTE_MS }),
      )
      const days = { from: '2026-10-25', to: '2026-10-25' }
      expect(await until(siteId, second - 30 * MINUTE_MS, days)).toMatchObject({ events: 1, lastHour: 1 })
      expect(await until(siteId, second + 30 * MINUTE_MS, days)).toMatchObject({ events: 2, lastHour: 1 })
    })

    it('are of a day that a clock change made two stretches', async () => {
      const siteId = await newSite('America/St_Johns')
      // At 00:01 of the seventh the clocks went back to 23:01 of the sixth.
      const change = Date.UTC(2010, 10, 7, 2, 31)
      await insert(
        sampleEvent({ siteId, userId: 'seventh', occurredAt: change - 1 }),
        sampleEvent({ siteId, userId: 'sixth', occurredAt: change }),
        sampleEvent({ siteId, userId: 'seventh again', occurredAt: change + HOUR_MS }),
      )
      const days = { from: '2010-11-07', to: '2010-11-07' }
      expect((await until(siteId, change + HOUR_MS, days)).users).toBe(1)
      expect((await until(siteId, change + HOUR_MS + 1, days)).users).toBe(2)
      expect((await until(siteId, change + HOUR_MS + 1, { from: '2010-11-06', to: '2010-11-07' })).users).toBe(3)
    })

    it('have what was stored before they were asked for, also when they were asked for before', async () => {
      const siteId = await newSite()
      for (let events = 1; events <= 5; events++) {
        await insert(sampleEvent({ siteId, occurredAt: NOON - events }))
        const asked = await Promise.all([until(siteId, NOON), until(siteId, NOON), until(siteId, NOON)])
        expect(asked.map((row) => row.events)).toEqual([events, events, events])
      }
    })

    it('are none of another site, and none of a site that is not there', async () => {
      const [siteId, other] = [await newSite(), await newSite()]
      await insert(sampleEvent({ siteId: other, occurredAt: NOON - 1 }))
      expect((await until(siteId, NOON)).events).toBe(0)
      expect((await until('nobody', NOON)).events).toBe(0)
    })

    it('are missing where the events of the day are not kept any more', async () => {
      const { store: own } = await open()
      try {
        const { id: siteId } = await own.saveSite(sampleSite())
        const at = Date.UTC(2026, 9, 20, 12)
        await own.insertBatch(sampleBatch(sampleEvent({ siteId, occurredAt: at })))
        await own.dropMonthsBefore(202611)
        const october = { siteId, from: '2026-10-20', to: '2026-10-20' }
        expect(await own.overviewUntil({ ...october, until: at + 1 })).toEqual({ missing: 'not_kept' })
        // Nothing of that day has to be counted.
        const november = { siteId, from: '2026-10-20', to: '2026-11-02', until: Date.UTC(2026, 10, 2, 12) }
        expect(await own.overviewUntil(november)).toMatchObject({ events: 1, users: 1 })
      } finally {
        await own.close()
      }
    })
  })
}
