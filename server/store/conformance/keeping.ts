import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addMonths, monthOf, monthStart } from '../../analysis/months.ts'
import { Oracle } from '../oracle.ts'
import { randomShop } from '../random-shop.ts'
import { DAY_MS, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { Store, StoredEvent } from '../store.ts'
import type { OpenedStore } from './opened-store.ts'

/** By the real clock, since young months cannot be dropped. */
const KEPT = addMonths(monthOf(Date.now()), -3)
const START = monthStart(KEPT)

export function describeKeeping(store: () => Store, open: () => Promise<OpenedStore>, randomShops = 25): void {
  describe('old events', () => {
    async function oldShop() {
      const opened = await open()
      const { id: siteId } = await opened.store.saveSite(sampleSite({ timeZone: 'UTC' }))
      const events = [-62, -31, -1, 0, 1, 31].map((days) =>
        samplePurchase(
          { siteId, userId: days % 2 === 0 ? 'even' : 'odd', sessionId: `s${days}`, occurredAt: START + days * DAY_MS },
          { orderId: `order ${days}` },
        ),
      )
      await opened.store.insertBatch(sampleBatch(...events))
      return { ...opened, siteId, events }
    }
    const figuresOf = async (store: Store, siteId: string) => ({
      totals: await store.totals(siteId),
      overview: await store.overview({ siteId, from: '2000-01-01', to: '2100-01-01' }),
      hours: await store.hours({ siteId, from: '2000-01-01', to: '2100-01-01' }),
      users: await store.listUsers({ siteId, sort: 'userId', order: 'asc', limit: 10 }),
      sessions: await store.sessions({ siteId, userId: 'odd', limit: 10 }),
    })

    it('are dropped by whole months, and every figure stays', async () => {
      const { store, siteId, events, reopen } = await oldShop()
      expect(await store.keptFrom()).toBeNull()
      const before = await figuresOf(store, siteId)
      const months = (await store.eventMonths()).map(({ month }) => month)
      expect(months).toEqual([...new Set(events.map((event) => monthOf(event.occurredAt)))])
      const old = months.filter((month) => month < KEPT)
      expect(await store.dropMonthsBefore(KEPT)).toEqual(old)
      expect(await store.dropMonthsBefore(KEPT)).toEqual([])
      expect(await store.dropMonthsBefore(addMonths(KEPT, -5))).toEqual([])
      expect(await store.keptFrom()).toBe(KEPT)
      expect((await store.eventMonths()).map(({ month }) => month)).toEqual(months.filter((month) => month >= KEPT))
      expect(await figuresOf(store, siteId)).toEqual(before)
      const again = await reopen()
      expect(await again.keptFrom()).toBe(KEPT)
      expect(await figuresOf(again, siteId)).toEqual(before)
      expect(sorted(await scanned(again, siteId))).toEqual(sorted(events.slice(3)))
      const odd = { siteId, userId: 'odd', order: 'asc', limit: 10 } as const
      expect(await again.journey(odd)).toEqual([events[4], events[5]])
      await again.close()
    })

    it('are refused when they come late or again, with the month in the reason, and the others of the batch are stored', async () => {
      const { store, siteId, events } = await oldShop()
      await store.dropMonthsBefore(KEPT)
      const before = await store.totals(siteId)
      const late = sampleEvent({ siteId, occurredAt: START - 1 })
      const kept = sampleEvent({ siteId, occurredAt: START })
      const outcome = await store.insertBatch(sampleBatch(events[0]!, late, kept, events[3]!))
      expect(outcome).toMatchObject({ stored: 1, duplicate: 1, refused: 2 })
      expect(outcome.fates).toEqual(['refused', 'refused', 'stored', 'duplicate'])
      const name = `${Math.floor(KEPT / 100)}-${String(KEPT % 100).padStart(2, '0')}`
      for (const index of [0, 1]) expect(outcome.reasons[index]).toContain(name)
      expect((await store.totals(siteId)).events).toBe(before.events + 1)
      expect(await scanned(store, siteId)).toHaveLength(4)
      await store.close()
    })

    it('give their ids back: unique is an id for as long as its event is kept', async () => {
      const { store, siteId, events } = await oldShop()
      await store.dropMonthsBefore(KEPT)
      const reused = sampleEvent({ siteId, eventId: events[0]!.eventId, occurredAt: START + DAY_MS })
      expect((await store.insertBatch(sampleBatch(reused))).fates).toEqual(['stored'])
      expect((await store.insertBatch(sampleBatch(reused))).fates).toEqual(['duplicate'])
      await store.close()
    })

    it('are never dropped while they may be a few weeks old', async () => {
      const young = monthOf(Date.now())
      await expect(store().dropMonthsBefore(addMonths(young, 1))).rejects.toMatchObject({ code: 'invalid_input' })
      // Nor by a month that cannot be.
      for (const month of [-833_100, 192_611]) await expect(store().dropMonthsBefore(month)).rejects.toThrow(/no month/)
      expect(await store().keptFrom()).toBeNull()
    })

    it('leave days that can be audited, and say which cannot', async () => {
      const { store, siteId, events } = await oldShop()
      // Everybody has a past that only the roll-ups know by now.
      const returning = ['even', 'odd'].map((userId) =>
        sampleEvent({ siteId, userId, sessionId: 's-1', occurredAt: START + 3 * DAY_MS }),
      )
      await store.insertBatch(sampleBatch(...returning))
      await store.dropMonthsBefore(KEPT)
      for (const [event, verdict] of [
        [events[2]!, 'not kept'],
        [events[4]!, 'equal'],
        [returning[0]!, 'equal'],
        [events[5]!, 'equal'],
      ] as const) {
        const day = new Date(event.occurredAt).toISOString().slice(0, 10)
        expect(await store.auditDay({ siteId, day, mend: false }), day).toEqual({ verdict, differences: [] })
      }
      const users = { siteId, since: 0, after: null, mend: false }
      expect(await store.auditUsers(users)).toEqual({ verdict: 'equal', users: 2, differences: [], next: null })
      expect(await store.auditTotals({ siteId, mend: false })).toEqual({
        verdict: 'equal',
        lostUsers: 0,
        differences: [],
      })
      await store.close()
    })
  })

  describe('the audit', () => {
    it(`counts every day, user and session as the figures do (${randomShops} random shops)`, {
      timeout: 300_000 + randomShops * 30_000,
    }, async () => {
      let shops = 0
      await fc.assert(
        fc.asyncProperty(randomShop(4), async (shop) => {
          shops += 1
          const site = { ...shop.site, id: `audited-${shops}` }
          const oracle = new Oracle([site])
          await store().saveSite(site)
          for (const { id, events } of shop.batches) {
            const batch = { id: `${site.id} ${id}`, events: events.map((event) => ({ ...event, siteId: site.id })) }
            oracle.insertBatch(batch)
            await store().insertBatch(batch)
          }
          const { days } = oracle.overview({ siteId: site.id, from: '2000-01-01', to: '2100-01-01' })
          for (const { day } of days)
            expect(await store().auditDay({ siteId: site.id, day, mend: false }), day).toEqual({
              verdict: 'equal',
              differences: [],
            })
          const { users, ...audit } = await store().auditUsers({ siteId: site.id, since: 0, after: null, mend: false })
          expect(audit).toEqual({ verdict: 'equal', differences: [], next: null })
          expect(users).toBe(oracle.totals(site.id).users)
          const totals = await store().auditTotals({ siteId: site.id, mend: false })
          expect(totals).toEqual({ verdict: 'equal', lostUsers: 0, differences: [] })
        }),
        { numRuns: randomShops },
      )
    })

    it('knows neither days without events nor sites that are not there', async () => {
      const { id: siteId } = await store().saveSite(sampleSite())
      expect(await store().auditDay({ siteId, day: '2026-11-20', mend: true })).toMatchObject({ verdict: 'equal' })
      expect(await store().auditDay({ siteId: 'nobody', day: '2026-11-20', mend: true })).toMatchObject({
        verdict: 'not kept',
      })
    })

    it('ends when it is told to', async () => {
      const { id: siteId } = await store().saveSite(sampleSite())
      await store().insertBatch(sampleBatch(sampleEvent({ siteId })))
      const signal = AbortSignal.abort(new Error('closing'))
      await expect(store().auditDay({ siteId, day: '2026-11-22', mend: true, signal })).rejects.toThrow()
    })
  })
}

async function scanned(store: Store, siteId: string): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  for await (const events of store.scanEvents(siteId)) found.push(...events)
  return found
}

function sorted(events: StoredEvent[]): StoredEvent[] {
  return [...events].sort((a, b) => a.seq - b.seq)
}
