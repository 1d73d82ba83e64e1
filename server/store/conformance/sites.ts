import { describe, expect, it } from 'vitest'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { Store } from '../store.ts'

export function describeSites(store: () => Store): void {
  describe('sites', () => {
    it('gives back a saved site, and null for one that is not there', async () => {
      const site = sampleSite({ name: 'Zelt & Söhne', timeZone: 'Asia/Kathmandu', currency: 'NPR' })
      expect(await store().saveSite(site)).toEqual(site)
      expect(await store().site(site.id)).toEqual(site)
      expect(await store().site('nobody')).toBeNull()
    })

    it('lists all sites by id', async () => {
      const [one, two] = [sampleSite(), sampleSite({ timeZone: 'Asia/Kolkata', currency: 'INR' })]
      for (const site of [two, one]) await store().saveSite(site)
      const sites = await store().sites()
      expect(sites).toEqual(expect.arrayContaining([one, two]))
      expect(sites.map(({ id }) => id)).toEqual(sites.map(({ id }) => id).sort())
    })

    it('lets the zone change until the first event is counted by it', async () => {
      const site = sampleSite()
      await store().saveSite(site)
      await store().saveSite({ ...site, timeZone: 'Asia/Tokyo' })
      expect((await store().site(site.id))?.timeZone).toBe('Asia/Tokyo')
      await store().insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
      await expect(store().saveSite(site)).rejects.toMatchObject({ code: 'conflict', field: 'timeZone' })
      expect((await store().site(site.id))?.timeZone).toBe('Asia/Tokyo')
    })

    it('takes another name of the same zone at any time', async () => {
      const site = sampleSite({ timeZone: 'Asia/Kolkata' })
      await store().saveSite(site)
      await store().insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
      for (const timeZone of ['Asia/Calcutta', 'Asia/Kolkata'])
        expect(await store().saveSite({ ...site, timeZone })).toMatchObject({ timeZone })
      await expect(store().saveSite({ ...site, timeZone: 'Asia/Dhaka' })).rejects.toMatchObject({ code: 'conflict' })
    })

    it('tells which zone stays, or counts few events again by the days of another', async () => {
      const site = sampleSite({ timeZone: 'UTC' })
      await store().saveSite(site)
      expect(await store().fixedZone(site.id, 0)).toBeNull()
      const late = sampleEvent({ siteId: site.id, occurredAt: Date.UTC(2026, 10, 22, 20, 30) })
      const early = sampleEvent({ siteId: site.id, occurredAt: Date.UTC(2026, 10, 22, 2, 30) })
      const order = sampleEvent({
        siteId: site.id,
        type: 'purchase',
        payload: { orderId: 'o1', revenue: 20, currency: 'EUR', items: [] },
        occurredAt: Date.UTC(2026, 10, 22, 20, 45),
      })
      await store().insertBatch(sampleBatch(late, early, order))
      expect(await store().fixedZone(site.id, 0)).toBe('UTC')
      const moved = { ...site, timeZone: 'Asia/Kathmandu' }
      await expect(store().saveSite(moved)).rejects.toMatchObject({ code: 'conflict' })
      if ((await store().fixedZone(site.id, 10)) !== null) {
        // An engine that cannot.
        await expect(store().saveSite(moved, { recountUpTo: 10 })).rejects.toMatchObject({ code: 'conflict' })
        return
      }
      await store().saveSite(moved, { recountUpTo: 10 })
      await store().insertBatch(sampleBatch(sampleEvent({ siteId: site.id, occurredAt: late.occurredAt + 1 })))
      const { days, users, events } = await store().overview({ siteId: site.id, from: '2026-11-21', to: '2026-11-24' })
      expect({ users, events }).toEqual({ users: 1, events: 4 })
      expect(days.map(({ day, events, orders }) => [day, events, orders])).toEqual([
        ['2026-11-22', 1, 0],
        ['2026-11-23', 3, 1],
      ])
      for (const day of ['2026-11-21', '2026-11-22', '2026-11-23'])
        expect((await store().auditDay({ siteId: site.id, day, mend: false })).differences).toEqual([])
      const ofUsers = await store().auditUsers({ siteId: site.id, since: 0, after: null, mend: false })
      expect(ofUsers.differences).toEqual([])
    })

    it('has what is set aside, and what is set aside later, on the days of another zone', async () => {
      const site = sampleSite({ timeZone: 'Europe/Berlin' })
      await store().saveSite(site)
      // The 23rd in Berlin.
      const purchase = { siteId: site.id, occurredAt: Date.UTC(2026, 10, 22, 23, 30) }
      const claimed = { ...purchase, trust: 'claimed' } as const
      await store().insertBatch(sampleBatch(samplePurchase(purchase, { orderId: 'A-1', revenue: '12,5' })))
      for (const revenue of [1, 2]) await store().insertBatch(sampleBatch(samplePurchase(claimed, { revenue })))
      if ((await store().fixedZone(site.id, 10)) !== null) return
      await store().saveSite({ ...site, timeZone: 'UTC' }, { recountUpTo: 10 })
      await store().insertBatch(sampleBatch(samplePurchase(purchase, { revenue: 2 })))
      const asideOn = async (day: string) =>
        (await store().overview({ siteId: site.id, from: day, to: day })).aside.map(({ reason, purchases, gross }) => [
          ...[reason, purchases, gross],
        ])
      expect(await asideOn('2026-11-22')).toEqual([
        ['odd_amount', 1, 0],
        ['other_amount', 1, 100],
      ])
      expect(await asideOn('2026-11-23')).toEqual([])
      for (const day of ['2026-11-22', '2026-11-23'])
        expect((await store().auditDay({ siteId: site.id, day, mend: false })).differences).toEqual([])
    })

    it('lets name and currency change at any time', async () => {
      const site = sampleSite()
      await store().saveSite(site)
      await store().insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
      const renamed = { ...site, name: 'Another name', currency: 'USD' }
      await store().saveSite(renamed)
      expect(await store().site(site.id)).toEqual(renamed)
    })

    it('refuses a zone that does not exist', async () => {
      const wrong = store().saveSite(sampleSite({ timeZone: 'Mars/Olympus' }))
      await expect(wrong).rejects.toMatchObject({ code: 'invalid_input', field: 'timeZone' })
    })

    it('answers for an unknown site as for an empty one', async () => {
      expect(await store().totals('nobody')).toMatchObject({ events: 0, users: 0, firstDay: null })
      const range = { siteId: 'nobody', from: '2026-11-01', to: '2026-11-30' }
      expect(await store().overview(range)).toMatchObject({ events: 0, users: 0, days: [], types: [], money: [] })
      expect(await store().hours(range)).toEqual([])
      expect(await store().user({ siteId: 'nobody', userId: 'lena' })).toBeNull()
    })

    it('keeps the same ids of two sites apart', async () => {
      const [one, other] = [sampleSite(), sampleSite({ timeZone: 'Asia/Tokyo' })]
      await store().saveSite(one)
      await store().saveSite(other)
      const event = sampleEvent({ siteId: one.id })
      const outcome = await store().insertBatch(sampleBatch(event, { ...event, siteId: other.id, payload: null }))
      expect(outcome.fates).toEqual(['stored', 'stored'])
      for (const siteId of [one.id, other.id]) {
        expect(await store().totals(siteId)).toMatchObject({ events: 1, users: 1, sessions: 1 })
        const journey = await store().journey({ siteId, userId: 'lena', order: 'desc', limit: 10 })
        expect(journey.map((row) => row.siteId)).toEqual([siteId])
      }
    })
  })
}
