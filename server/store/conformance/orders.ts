import { describe, expect, it } from 'vitest'
import { DAY_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { Store, StoredEvent } from '../store.ts'

export function describeOrders(store: () => Store): void {
  async function newSite(): Promise<string> {
    return (await store().saveSite(sampleSite())).id
  }
  async function insert(...events: StoredEvent[]): Promise<void> {
    await store().insertBatch(sampleBatch(...events))
  }
  const november = (siteId: string) => store().overview({ siteId, from: '2026-11-01', to: '2026-11-30' })
  const user = (siteId: string, userId = 'lena') => store().user({ siteId, userId })
  const eur = (orders: number, gross: number) => ({ currency: 'EUR', orders, gross })

  describe('orders', () => {
    it('counts the first purchase of an order id and no later one, whoever sends it', async () => {
      const siteId = await newSite()
      await insert(
        samplePurchase({ siteId }),
        samplePurchase({ siteId, occurredAt: NOON + 1000 }, { revenue: 99 }),
        samplePurchase({ siteId, userId: 'noah', occurredAt: NOON + 2000 }, { currency: 'USD' }),
      )
      expect(await november(siteId)).toMatchObject({ events: 3, orders: 1, orderingSessions: 1, money: [eur(1, 2000)] })
      expect(await user(siteId, 'noah')).toMatchObject({ events: 1, orders: 0, money: [] })
    })

    it('moves an order with all its figures when an earlier purchase comes late', async () => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId }), samplePurchase({ siteId }, { orderId: 'A-2', revenue: 5 }))
      const earlier = { siteId, userId: 'noah', sessionId: 'n1', occurredAt: NOON - 3 * DAY_MS }
      await insert(samplePurchase(earlier, { revenue: 7, currency: 'USD' }))
      const usd = { currency: 'USD', orders: 1, gross: 700 }
      const row = await november(siteId)
      expect(row).toMatchObject({ orders: 2, orderingSessions: 2, money: [eur(1, 500), usd] })
      expect(row.days).toMatchObject([
        { day: '2026-11-19', orders: 1, orderingSessions: 1, money: [usd] },
        { day: '2026-11-22', orders: 1, orderingSessions: 1, money: [eur(1, 500)] },
      ])
      expect(await user(siteId)).toMatchObject({ orders: 1, money: [eur(1, 500)] })
      expect(await user(siteId, 'noah')).toMatchObject({ orders: 1, money: [usd] })
      const [session] = await store().sessions({ siteId, userId: 'lena', limit: 1 })
      expect(session).toMatchObject({ orders: 1, money: [eur(1, 500)] })
    })

    it('leaves nothing behind where the only order moved away', async () => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId }))
      await insert(samplePurchase({ siteId, userId: 'noah', occurredAt: NOON - DAY_MS }))
      expect(await user(siteId)).toMatchObject({ events: 1, orders: 0, money: [] })
      expect((await november(siteId)).days[1]).toMatchObject({ orders: 0, orderingSessions: 0, money: [] })
      expect((await store().sessions({ siteId, userId: 'lena', limit: 1 }))[0]).toMatchObject({ orders: 0, money: [] })
    })

    it('breaks ties of time by seq, then by the id as text', async () => {
      const siteId = await newSite()
      const uuid = '0190b3c4-0000-7000-8000-000000000001'
      const at = { siteId, seq: 5 }
      await insert(samplePurchase({ ...at, eventId: 'b' }, { revenue: 3 }))
      await insert(samplePurchase({ ...at, eventId: 'c', seq: 6 }, { revenue: 4 }))
      expect((await november(siteId)).money).toEqual([eur(1, 300)])
      await insert(samplePurchase({ ...at, eventId: uuid }, { revenue: 2 }))
      expect((await november(siteId)).money).toEqual([eur(1, 200)])
      await insert(samplePurchase({ ...at, eventId: 'A', seq: 4 }, { revenue: 1 }))
      expect((await november(siteId)).money).toEqual([eur(1, 100)])
    })

    it.each([
      ['has issues', {}, [{ path: 'items', message: 'is missing' }]],
      ['has no order id', { orderId: undefined }, null],
      ['has an empty order id', { orderId: '' }, null],
      ['has a number for an order id', { orderId: 7 }, null],
      ['has an order id that no text column keeps', { orderId: 'A\0' }, null],
      ['has its revenue as a text', { revenue: '20' }, null],
      ['has a negative revenue', { revenue: -1 }, null],
      ['has a revenue beyond any order', { revenue: 1e12 }, null],
      ['has no currency', { currency: null }, null],
      ['has a currency that is none', { currency: 'euro' }, null],
    ])('counts a purchase that %s as an event only', async (_, order, issues) => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId, issues }, order))
      expect(await november(siteId)).toMatchObject({ events: 1, orders: 0, orderingSessions: 0, money: [] })
    })

    it('counts an order of nothing', async () => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId }, { revenue: 0 }))
      expect((await november(siteId)).money).toEqual([eur(1, 0)])
    })

    it('keeps currencies apart, in their minor units, most orders first', async () => {
      const siteId = await newSite()
      await insert(
        samplePurchase({ siteId }, { orderId: '1', revenue: 1.005 }),
        samplePurchase({ siteId }, { orderId: '2', revenue: 5000, currency: 'JPY' }),
        samplePurchase({ siteId }, { orderId: '3', revenue: 1, currency: 'JPY' }),
        samplePurchase({ siteId }, { orderId: '4', revenue: 1.5, currency: 'KWD' }),
      )
      const money = [
        { currency: 'JPY', orders: 2, gross: 5001 },
        { currency: 'EUR', orders: 1, gross: 101 },
        { currency: 'KWD', orders: 1, gross: 1500 },
      ]
      expect((await november(siteId)).money).toEqual(money)
      expect((await november(siteId)).days[0]?.money).toEqual(money)
      expect((await user(siteId))?.money).toEqual(money)
      expect((await store().sessions({ siteId, userId: 'lena', limit: 1 }))[0]?.money).toEqual(money)
    })

    it('stays exact over sums that a shop reaches in years', async () => {
      const siteId = await newSite()
      const orders = Array.from({ length: 50 }, (_, n) =>
        samplePurchase({ siteId }, { orderId: `big-${n}`, revenue: 9_999_999_999.99 }),
      )
      await insert(...orders, sampleEvent({ siteId }))
      expect((await november(siteId)).money).toEqual([eur(50, 50 * 999_999_999_999)])
    })

    it.each([
      ['batches', 4550],
      ['one batch', 10_000],
    ])(
      'shows the most that a number holds where orders of %s come to more, and is exact again below',
      async (_, size) => {
        const siteId = await newSite()
        const gross = 999_999_999_999
        const most = Number.MAX_SAFE_INTEGER
        const huge = Array.from({ length: 9100 }, (_, n) =>
          samplePurchase({ siteId }, { orderId: `huge-${n}`, revenue: gross / 100 }),
        )
        // Beyond what numbers hold a sum of numbers would not notice these.
        const small = Array.from({ length: 50 }, (_, n) =>
          samplePurchase({ siteId }, { orderId: `small-${n}`, revenue: 0.01 }),
        )
        const orders = [...huge, ...small]
        for (let from = 0; from < orders.length; from += size) await insert(...orders.slice(from, from + size))
        const expectMoney = async (sum: ReturnType<typeof eur>, all: ReturnType<typeof eur>) => {
          const row = await november(siteId)
          expect([row.money, (await user(siteId))?.money]).toEqual([[all], [sum]])
          expect((await store().sessions({ siteId, userId: 'lena', limit: 1 }))[0]?.money).toEqual([sum])
          return row.days
        }
        expect(await expectMoney(eur(9150, most), eur(9150, most))).toMatchObject([{ money: [eur(9150, most)] }])
        // Somebody turns out to have bought some of them the day before.
        const earlier = { siteId, userId: 'noah', sessionId: 'n1', occurredAt: NOON - DAY_MS }
        const moved = huge.slice(0, 200).map(({ payload }) => samplePurchase({ ...earlier, payload }))
        await insert(...moved)
        expect(await expectMoney(eur(8950, 8900 * gross + 50), eur(9150, most))).toMatchObject([
          { money: [eur(200, 200 * gross)] },
          { money: [eur(8950, 8900 * gross + 50)] },
        ])
      },
    )
  })
}
