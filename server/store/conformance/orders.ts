import { describe, expect, it } from 'vitest'
import type { AsideReason, Trust } from '../../../trpc/schema/common.ts'
import { decimalsOf } from '../../../trpc/schema/currencies.ts'
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
  const money = (currency: string, orders: number, gross: number, claimedOrders = 0, claimedGross = 0) => ({
    ...{ currency, decimals: decimalsOf(currency), orders, gross },
    verified: { orders: orders - claimedOrders, gross: gross - claimedGross },
    claimed: { orders: claimedOrders, gross: claimedGross },
  })
  const eur = (orders: number, gross: number) => money('EUR', orders, gross)
  const aside = (reason: AsideReason, currency: string | null, purchases: number, gross: number) => ({
    ...{ reason, currency, decimals: currency && decimalsOf(currency), purchases, gross },
  })

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

    it('moves an order with all its figures when a server states what a browser had claimed', async () => {
      const siteId = await newSite()
      const claimed = samplePurchase({ siteId, trust: 'claimed' })
      await insert(claimed, samplePurchase({ siteId }, { orderId: 'A-2', revenue: 5 }))
      expect((await november(siteId)).money).toEqual([money('EUR', 2, 2500, 1, 2000)])
      const other = { siteId, userId: 'noah', sessionId: 'n1', occurredAt: NOON - 3 * DAY_MS }
      await insert(samplePurchase(other, { revenue: 7, currency: 'USD' }))
      const usd = money('USD', 1, 700)
      const row = await november(siteId)
      expect(row).toMatchObject({ orders: 2, orderingSessions: 2, money: [eur(1, 500), usd] })
      expect(row.aside).toEqual([aside('other_currency', 'EUR', 1, 2000)])
      expect(row.days).toMatchObject([
        { day: '2026-11-19', orders: 1, orderingSessions: 1, money: [usd] },
        { day: '2026-11-22', orders: 1, orderingSessions: 1, money: [eur(1, 500)] },
      ])
      expect(await user(siteId)).toMatchObject({ orders: 1, money: [eur(1, 500)] })
      expect(await user(siteId, 'noah')).toMatchObject({ orders: 1, money: [usd] })
      const [session] = await store().sessions({ siteId, userId: 'lena', limit: 1 })
      expect(session).toMatchObject({ orders: 1, money: [eur(1, 500)] })
    })

    it('are no fault to the audit when strangers repeat one with more amounts than are compared', async () => {
      const siteId = await newSite()
      const amounts = Array.from({ length: 40 }, (_, number) => 10 + number)
      for (const revenue of amounts) await insert(samplePurchase({ siteId, trust: 'claimed' }, { revenue }))
      await insert(samplePurchase({ siteId }, { revenue: amounts.at(-1)! }))
      expect(await november(siteId)).toMatchObject({ orders: 1, money: [eur(1, 4900)] })
      const audit = () => store().auditDay({ siteId, day: '2026-11-22', mend: false })
      expect(await audit()).toEqual({ verdict: 'equal', differences: [] })
    })

    it('leaves nothing behind where the only order moved away', async () => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId, trust: 'claimed' }))
      await insert(samplePurchase({ siteId, userId: 'noah', occurredAt: NOON - DAY_MS }))
      expect(await user(siteId)).toMatchObject({ events: 1, orders: 0, money: [] })
      expect((await november(siteId)).days[1]).toMatchObject({ orders: 0, orderingSessions: 0, money: [] })
      expect((await store().sessions({ siteId, userId: 'lena', limit: 1 }))[0]).toMatchObject({ orders: 0, money: [] })
    })

    it('goes by the order of arrival and by trust, never by the time that is stated', async () => {
      const siteId = await newSite()
      const arriving = (seq: number, trust: Trust, revenue: number, occurredAt = NOON) =>
        insert(samplePurchase({ siteId, seq, trust, occurredAt }, { revenue }))
      const sums = async () => (await november(siteId)).money
      await arriving(5, 'claimed', 5)
      // A browser that says it was earlier, or asks for less or more.
      await arriving(6, 'claimed', 0, NOON - 6 * DAY_MS)
      expect(await sums()).toEqual([money('EUR', 1, 500, 1, 500)])
      // Received before, and only stored later.
      await arriving(4, 'claimed', 4)
      expect(await sums()).toEqual([money('EUR', 1, 400, 1, 400)])
      await arriving(9, 'verified', 9)
      expect(await sums()).toEqual([eur(1, 900)])
      await arriving(3, 'claimed', 3)
      await arriving(10, 'verified', 10, NOON - DAY_MS)
      expect(await sums()).toEqual([eur(1, 900)])
      await arriving(8, 'verified', 8)
      expect(await sums()).toEqual([eur(1, 800)])
      const { aside: rest } = await november(siteId)
      expect(rest).toEqual([aside('other_amount', 'EUR', 6, 500 + 0 + 400 + 900 + 300 + 1000)])
    })

    it('sets repetitions aside that say another amount or currency, and no others', async () => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId, trust: 'claimed' }), samplePurchase({ siteId }))
      await insert(samplePurchase({ siteId, trust: 'claimed' }, { revenue: '20.00', currency: 'eur', items: null }))
      expect((await november(siteId)).aside).toEqual([])
      await insert(
        samplePurchase({ siteId }, { revenue: 19.99 }),
        samplePurchase({ siteId, trust: 'claimed' }, { revenue: 1 }),
        samplePurchase({ siteId }, { currency: 'USD' }),
      )
      expect((await november(siteId)).aside).toEqual([
        aside('other_amount', 'EUR', 2, 2099),
        aside('other_currency', 'USD', 1, 2000),
      ])
      expect((await november(siteId)).money).toEqual([eur(1, 2000)])
    })

    it('breaks ties of arrival by the id as text', async () => {
      const siteId = await newSite()
      const uuid = '0190b3c4-0000-7000-8000-000000000001'
      const at = { siteId, seq: 5 }
      await insert(samplePurchase({ ...at, eventId: 'b' }, { revenue: 3 }))
      await insert(samplePurchase({ ...at, eventId: 'c' }, { revenue: 4 }))
      expect((await november(siteId)).money).toEqual([eur(1, 300)])
      await insert(samplePurchase({ ...at, eventId: uuid }, { revenue: 2 }))
      expect((await november(siteId)).money).toEqual([eur(1, 200)])
    })

    it('says which purchase an order counts by', async () => {
      const siteId = await newSite()
      const [first, second] = [samplePurchase({ siteId, trust: 'claimed' }), samplePurchase({ siteId, userId: 'noah' })]
      await insert(first)
      const ask = () => store().orders({ siteId, orderIds: ['A-1', 'A-1', 'none'] })
      const order = { orderId: 'A-1', currency: 'EUR', gross: 2000 }
      expect(await ask()).toEqual([{ ...order, userId: 'lena', eventId: first.eventId, trust: 'claimed' }])
      await insert(second)
      expect(await ask()).toEqual([{ ...order, userId: 'noah', eventId: second.eventId, trust: 'verified' }])
    })

    it.each([
      ['has no order id', { orderId: undefined }, 'no_order_id', 'EUR', 2000],
      ['has an empty order id', { orderId: '' }, 'no_order_id', 'EUR', 2000],
      ['has an object for an order id', { orderId: {} }, 'odd_order_id', 'EUR', 2000],
      ['has an order id that no text column keeps', { orderId: 'A\0' }, 'odd_order_id', 'EUR', 2000],
      ['has a revenue with a comma', { revenue: '4,245.42' }, 'odd_amount', 'EUR', 0],
      ['has a negative revenue', { revenue: -1 }, 'negative_amount', 'EUR', -100],
      ['has a revenue beyond any order', { revenue: 1e12 }, 'large_amount', 'EUR', 0],
      ['has no currency', { currency: null }, 'no_currency', null, 0],
      ['has a currency that is none', { currency: 'euro' }, 'odd_currency', null, 0],
    ] as const)('sets a purchase aside that %s', async (_, order, reason, currency, gross) => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId }, order))
      expect(await november(siteId)).toMatchObject({ events: 1, orders: 0, orderingSessions: 0, money: [] })
      expect((await november(siteId)).aside).toEqual([aside(reason, currency, 1, gross)])
    })

    it.each([
      ['whatever is wrong beside it', { items: 'none', tax: {} }],
      ['of a number as its order id', { orderId: 7 }],
      ['of a plain decimal text as its revenue', { revenue: '20.00' }],
      ['of a currency in small letters', { currency: ' eur ' }],
    ])('counts an order %s', async (_, order) => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId, issues: [{ path: 'items', message: 'is odd' }] }, order))
      expect(await november(siteId)).toMatchObject({ orders: 1, money: [eur(1, 2000)], aside: [] })
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
      const sums = [money('JPY', 2, 5001), money('EUR', 1, 101), money('KWD', 1, 1500)]
      expect((await november(siteId)).money).toEqual(sums)
      expect((await november(siteId)).days[0]?.money).toEqual(sums)
      expect((await user(siteId))?.money).toEqual(sums)
      expect((await store().sessions({ siteId, userId: 'lena', limit: 1 }))[0]?.money).toEqual(sums)
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
      ['batches', 4550, 'JPY', 1],
      ['one batch', 10_000, 'CLF', 10_000],
    ])(
      'says that it is more than a number holds where orders of %s come to more, and is exact again below',
      async (_, size, currency, units) => {
        const siteId = await newSite()
        const gross = 999_999_999_999
        const most = Number.MAX_SAFE_INTEGER
        const huge = Array.from({ length: 9100 }, (_, n) =>
          samplePurchase({ siteId, trust: 'claimed' }, { orderId: `huge-${n}`, revenue: gross / units, currency }),
        )
        // Beyond what numbers hold a sum of numbers would not notice these.
        const small = Array.from({ length: 50 }, (_, n) =>
          samplePurchase({ siteId }, { orderId: `small-${n}`, revenue: 1 / units, currency }),
        )
        const orders = [...huge, ...small]
        for (let from = 0; from < orders.length; from += size) await insert(...orders.slice(from, from + size))
        const claimed = (orders: number, sum: number) => money(currency, orders + 50, sum + 50, orders, sum)
        const more = (orders: number) => ({
          ...{ ...money(currency, orders + 50, most), isMore: true },
          verified: { orders: 50, gross: 50 },
          claimed: { orders, gross: most, isMore: true },
        })
        const expectMoney = async (sum: object, all: object) => {
          const row = await november(siteId)
          expect([row.money, (await user(siteId))?.money]).toEqual([[all], [sum]])
          expect((await store().sessions({ siteId, userId: 'lena', limit: 1 }))[0]?.money).toEqual([sum])
          return row.days
        }
        expect(await expectMoney(more(9100), more(9100))).toMatchObject([{ money: [more(9100)] }])
        // The shop says who bought some of them, the day before.
        const other = { siteId, userId: 'noah', sessionId: 'n1', occurredAt: NOON - DAY_MS }
        await insert(...huge.slice(0, 200).map(({ payload }) => samplePurchase({ ...other, payload })))
        const all = {
          ...{ ...money(currency, 9150, most), isMore: true },
          verified: { orders: 250, gross: 200 * gross + 50 },
          claimed: { orders: 8900, gross: 8900 * gross },
        }
        expect(await expectMoney(claimed(8900, 8900 * gross), all)).toMatchObject([
          { money: [money(currency, 200, 200 * gross)] },
          { money: [claimed(8900, 8900 * gross)] },
        ])
      },
    )
  })
}
