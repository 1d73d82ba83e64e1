import { describe, expect, it } from 'vitest'
import { DAY_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { Store, StoredEvent, TimeRange } from '../store.ts'
import type { OpenedStore } from './opened-store.ts'

export function describeWriting(store: () => Store, open: () => Promise<OpenedStore>): void {
  async function newSite(): Promise<string> {
    return (await store().saveSite(sampleSite())).id
  }
  async function scan(siteId: string, from = store(), range?: TimeRange): Promise<StoredEvent[]> {
    const events: StoredEvent[] = []
    for await (const page of from.scanEvents(siteId, range)) events.push(...page)
    return events
  }

  describe('writing', () => {
    it('gives every field of an event back as it came', async () => {
      const siteId = await newSite()
      const events = [
        sampleEvent({
          siteId,
          eventId: '0190B3C4-UPPER',
          userId: '😀 %_\\"\'',
          sessionId: 'ﬀ/?#',
          payload: JSON.parse(
            '{"a":{"b":[1,-2.5,1e300,"\\u0000","\\ud800",null,true]},"__proto__":{"x":1},"$set":{"a.b":2},"":""}',
          ),
          occurredAt: NOON - DAY_MS,
          receivedAt: NOON + 5,
          seq: Number.MAX_SAFE_INTEGER,
          issues: [{ path: 'url', message: 'is missing' }],
        }),
        sampleEvent({ siteId, payload: null, occurredAt: 0, receivedAt: 0, seq: -1 }),
        sampleEvent({ siteId, payload: {}, type: 'a_type_of_tomorrow' }),
      ]
      await store().insertBatch(sampleBatch(...events))
      const stored = await scan(siteId)
      expect(stored).toHaveLength(3)
      for (const event of events) {
        const row = stored.find((other) => other.eventId === event.eventId)
        expect(row).toEqual(event)
        expect(JSON.stringify(row?.payload)).toBe(JSON.stringify(event.payload))
      }
    })

    it('stores an event id once, in one batch and in a later one', async () => {
      const siteId = await newSite()
      const event = sampleEvent({ siteId })
      const first = await store().insertBatch(sampleBatch(event, event, sampleEvent({ siteId })))
      expect(first).toEqual({
        fates: ['stored', 'duplicate', 'stored'],
        reasons: {},
        stored: 2,
        duplicate: 1,
        refused: 0,
      })
      expect((await store().insertBatch(sampleBatch(event))).fates).toEqual(['duplicate'])
      expect(await store().totals(siteId)).toMatchObject({ events: 2, users: 1, sessions: 1 })
    })

    it('knows a retry that carries another time, in another month, by its id; the first stays', async () => {
      const siteId = await newSite()
      const event = sampleEvent({ siteId })
      await store().insertBatch(sampleBatch(event))
      const retry = { ...event, occurredAt: NOON - 90 * DAY_MS, userId: 'other', payload: { url: '/other' } }
      expect((await store().insertBatch(sampleBatch(retry))).fates).toEqual(['duplicate'])
      expect(await scan(siteId)).toEqual([event])
    })

    it('says of a duplicate that it is another event than the one with its id, but not of a repetition', async () => {
      const siteId = await newSite()
      const event = sampleEvent({ siteId, occurredAt: NOON - 5000, receivedAt: NOON })
      const untimed = sampleEvent({ siteId, occurredAt: NOON, receivedAt: NOON })
      await store().insertBatch(sampleBatch(event, untimed))
      const again = sampleBatch(
        { ...event, receivedAt: NOON + 9000, seq: event.seq + 7 },
        { ...untimed, occurredAt: NOON + 9000, receivedAt: NOON + 9000 },
        { ...event, payload: { url: '/other' } },
        { ...event, userId: 'somebody else' },
        { ...event, occurredAt: NOON - 4000 },
      )
      const outcome = await store().insertBatch(again)
      expect(outcome).toMatchObject({ stored: 0, duplicate: 5, refused: 0 })
      expect(Object.keys(outcome.reasons)).toEqual(['2', '3', '4'])
      expect(outcome.reasons[2]).toMatch(/another event/)
      expect(await store().insertBatch(again)).toEqual(outcome)
      // Of one batch as well.
      const first = sampleEvent({ siteId })
      const together = await store().insertBatch(sampleBatch(first, { ...first, type: 'search' }, first))
      expect(together).toMatchObject({ fates: ['stored', 'duplicate', 'duplicate'] })
      expect(Object.keys(together.reasons)).toEqual(['1'])
    })

    it('lets no id that a browser claimed keep out what a server states, and stores that once', async () => {
      const siteId = await newSite()
      const view = (trust: 'claimed' | 'verified') => sampleEvent({ siteId, eventId: 'order-1', trust })
      const purchase = (eventId: string, revenue: number, trust: 'claimed' | 'verified' = 'verified') =>
        samplePurchase({ siteId, eventId, trust }, { orderId: eventId, revenue })
      await store().insertBatch(sampleBatch(view('claimed'), purchase('order-2', 1, 'claimed')))
      const stated = [purchase('order-1', 20), purchase('order-2', 30), view('claimed')]
      const outcome = await store().insertBatch(sampleBatch(...stated))
      expect(outcome.fates).toEqual(['stored', 'stored', 'duplicate'])
      expect(outcome.reasons).toEqual({})
      // The same once more, and both of one order in one batch, the server's a retry.
      expect((await store().insertBatch(sampleBatch(...stated))).fates).toEqual(['duplicate', 'duplicate', 'duplicate'])
      const together = [purchase('order-3', 1, 'claimed'), purchase('order-3', 40), purchase('order-3', 40)]
      expect((await store().insertBatch(sampleBatch(...together))).fates).toEqual(['stored', 'stored', 'duplicate'])
      const retried = [purchase('order-4', 1, 'claimed'), purchase('order-4', 50)]
      await store().insertBatch(sampleBatch(retried[1]!))
      expect((await store().insertBatch(sampleBatch(...retried))).fates).toEqual(['duplicate', 'duplicate'])
      const { events, money, orders } = await store().overview({ siteId, from: '2026-11-01', to: '2026-11-30' })
      expect({ events, orders }).toEqual({ events: 7, orders: 4 })
      expect(money).toMatchObject([{ orders: 4, gross: 14_000, claimed: { orders: 0, gross: 0 } }])
      expect((await scan(siteId)).filter(({ trust }) => trust === 'verified')).toHaveLength(4)
      expect((await store().auditDay({ siteId, day: '2026-11-22', mend: false })).differences).toEqual([])
    })

    it('takes what browser and server say alike under one id for one event', async () => {
      const siteId = await newSite()
      const event = sampleEvent({ siteId, trust: 'claimed' })
      await store().insertBatch(sampleBatch(event))
      const outcome = await store().insertBatch(sampleBatch({ ...event, trust: 'verified' }))
      expect(outcome).toMatchObject({ fates: ['duplicate'], reasons: {} })
    })

    it('takes ids for the same only when every character is', async () => {
      const siteId = await newSite()
      const id = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
      const ids = [id, id.toUpperCase(), id.replaceAll('-', ''), `${id} `, '\u00e9', 'e\u0301']
      const outcome = await store().insertBatch(sampleBatch(...ids.map((eventId) => sampleEvent({ siteId, eventId }))))
      expect(outcome.stored).toBe(ids.length)
      expect((await scan(siteId)).map((event) => event.eventId).sort()).toEqual([...ids].sort())
    })

    it('changes nothing when a batch is run again and returns the first outcome', async () => {
      const siteId = await newSite()
      const event = samplePurchase({ siteId })
      const batch = sampleBatch(event, event, sampleEvent({ siteId, userId: 'bad\0id' }), sampleEvent({ siteId }))
      const first = await store().insertBatch(batch)
      expect(first.fates).toEqual(['stored', 'duplicate', 'refused', 'stored'])
      const totals = await store().totals(siteId)
      expect(await store().insertBatch(batch)).toEqual(first)
      expect(await Promise.all([store().insertBatch(batch), store().insertBatch(batch)])).toEqual([first, first])
      expect(await store().totals(siteId)).toEqual(totals)
    })

    it('refuses an event that it could not give back, with the reason, and stores the others', async () => {
      const siteId = await newSite()
      const circle: Record<string, unknown> = {}
      circle.self = circle
      const good = sampleEvent({ siteId })
      const outcome = await store().insertBatch(
        sampleBatch(
          sampleEvent({ siteId, userId: 'a\0b' }),
          sampleEvent({ siteId, sessionId: 'half \ud800' }),
          sampleEvent({ siteId, eventId: '\udc00' }),
          sampleEvent({ siteId, occurredAt: 8.64e15 }),
          sampleEvent({ siteId, receivedAt: Number.NaN }),
          sampleEvent({ siteId, seq: 0.5 }),
          sampleEvent({ siteId, payload: circle }),
          sampleEvent({ siteId: 'nobody' }),
          good,
        ),
      )
      expect(outcome).toMatchObject({ stored: 1, duplicate: 0, refused: 8 })
      expect(Object.keys(outcome.reasons)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
      expect(outcome.reasons[0]).toMatch(/userId/)
      expect(outcome.reasons[7]).toMatch(/siteId/)
      expect(await scan(siteId)).toEqual([good])
    })

    it('takes an empty batch', async () => {
      expect(await store().insertBatch(sampleBatch())).toMatchObject({ fates: [], stored: 0 })
    })

    it('shows a batch to every question as soon as it is in', async () => {
      const siteId = await newSite()
      for (let round = 1; round <= 20; round++) {
        await store().insertBatch(sampleBatch(sampleEvent({ siteId })))
        const totals = await Promise.all([store().totals(siteId), store().totals(siteId), store().totals(siteId)])
        expect(totals.map((row) => row.events)).toEqual([round, round, round])
      }
    })

    it('has another mark of what is written after each batch, and none of before', async () => {
      const opened = await open()
      const { id: siteId } = await opened.store.saveSite(sampleSite())
      const marks = [await opened.store.written()]
      for (let batch = 0; batch < 6; batch++) {
        await opened.store.insertBatch(sampleBatch(sampleEvent({ siteId })))
        marks.push(await opened.store.written())
        expect(new Set(marks).size, `after ${batch + 1} batches: ${marks}`).toBe(marks.length)
        // Figures that are asked for are worked out, which may be another mark too, and no question changes anything then.
        const question = { siteId, from: '2026-11-01', to: '2026-11-30' }
        await opened.store.overview(question)
        const mark = await opened.store.written()
        await opened.store.overview(question)
        expect(await opened.store.written()).toBe(mark)
        if (mark !== marks.at(-1)) marks.push(mark)
      }
      // Nothing of it is lost with the process: whoever looks again sees whether something came meanwhile.
      const store = await opened.reopen()
      await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
      expect(marks).not.toContain(await store.written())
      await store.close()
    })

    it('scans every event of the site, over many months and steps', async () => {
      const siteId = await newSite()
      const other = await newSite()
      const count = 5000
      const events = Array.from({ length: count }, (_, n) =>
        sampleEvent({ siteId: n % 5 === 0 ? other : siteId, occurredAt: NOON - (n % 3) * 45 * DAY_MS }),
      )
      await store().insertBatch(sampleBatch(...events))
      const ids = (await scan(siteId)).map((event) => event.eventId)
      expect(ids.length).toBe(new Set(ids).size)
      expect(ids.sort()).toEqual(events.flatMap((event) => (event.siteId === siteId ? [event.eventId] : [])).sort())
    })

    it('scans what occurred in a range, whatever is around it in the same months', async () => {
      const siteId = await newSite()
      const range = { from: Date.UTC(2026, 9, 31, 12), to: Date.UTC(2026, 10, 1, 12) }
      // Most are of the range, so that a step has more of them than it gives back.
      const within = Array.from({ length: 6 }, () => range.to - 1)
      const moments = [NOON, range.from, range.to, range.from - 1, ...within]
      const events = Array.from({ length: 9000 }, (_, n) => {
        const occurredAt = moments[n % moments.length]!
        // One user has more than a step gives back, of which thousands are of one moment and place in the order.
        const user = n < 6000 ? { userId: 'bot', seq: n < 4500 ? 5 : n } : { userId: `user-${n % 700}` }
        return sampleEvent({ siteId, occurredAt, ...user })
      })
      await store().insertBatch(sampleBatch(...events))
      const wanted = events.filter(({ occurredAt }) => occurredAt >= range.from && occurredAt < range.to)
      const ids = (await scan(siteId, store(), range)).map((event) => event.eventId)
      expect(ids.sort()).toEqual(wanted.map((event) => event.eventId).sort())
      expect(await scan(siteId, store(), { from: NOON + 1, to: NOON + DAY_MS })).toEqual([])
      expect(await scan(siteId, store(), { from: 0, to: DAY_MS })).toEqual([])
      expect(await scan('nobody', store(), range)).toEqual([])
    })

    it('scans the largest events some at a time, each once', async () => {
      const siteId = await newSite()
      const payload = { url: '/', text: 'x'.repeat(32_000) }
      // Of one user and moment, and of many.
      const events = Array.from({ length: 300 }, (_, n) =>
        sampleEvent({ siteId, payload, ...(n < 150 ? { userId: 'bot', seq: 7 } : { userId: `user-${n}` }) }),
      )
      await store().insertBatch(sampleBatch(...events))
      const ids = events.map(({ eventId }) => eventId).sort()
      for (const range of [undefined, { from: NOON, to: NOON + DAY_MS }]) {
        const pages: StoredEvent[][] = []
        for await (const page of store().scanEvents(siteId, range)) pages.push(page)
        expect(
          pages
            .flat()
            .map(({ eventId }) => eventId)
            .sort(),
        ).toEqual(ids)
        for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(5 * 2 ** 20)
      }
    })

    it('finds everything again after it was closed and opened', async () => {
      const opened = await open()
      const site = await opened.store.saveSite(sampleSite())
      const batch = sampleBatch(samplePurchase({ siteId: site.id }), sampleEvent({ siteId: site.id }))
      const outcome = await opened.store.insertBatch(batch)
      const before = await opened.store.overview({ siteId: site.id, from: '2026-11-01', to: '2026-11-30' })
      const store = await opened.reopen()
      expect(await store.overview({ siteId: site.id, from: '2026-11-01', to: '2026-11-30' })).toEqual(before)
      expect(await scan(site.id, store)).toHaveLength(2)
      expect(await store.insertBatch(batch)).toEqual(outcome)
      expect(await store.site(site.id)).toEqual(site)
      await store.close()
    })

    it('finishes what was begun before close', async () => {
      const opened = await open()
      const { id: siteId } = await opened.store.saveSite(sampleSite())
      const writes = Array.from({ length: 5 }, () => opened.store.insertBatch(sampleBatch(sampleEvent({ siteId }))))
      const read = opened.store.totals(siteId)
      const closed = opened.store.close()
      expect((await Promise.all(writes)).map((outcome) => outcome.stored)).toEqual([1, 1, 1, 1, 1])
      await read
      await closed
      const store = await opened.reopen()
      expect((await store.totals(siteId)).events).toBe(5)
      await store.close()
    })
  })
}
