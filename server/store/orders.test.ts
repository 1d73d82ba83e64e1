import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareRanks, joinOrders, type Ordering, type OrderSum, repetitionReason, settleOrder } from './orders.ts'

const purchase: fc.Arbitrary<Omit<Ordering, 'eventId'>> = fc.record({
  trust: fc.constantFrom('verified', 'claimed'),
  seq: fc.integer({ min: 1, max: 5 }),
  dayNo: fc.integer({ min: 1, max: 3 }),
  currency: fc.constantFrom('EUR', 'JPY'),
  gross: fc.integer({ min: 0, max: 3 }),
})

it('comes to the same order and to the same that is set aside, however its purchases come together', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(purchase, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      (batches) => {
        let id = 0
        const all: Ordering[][] = batches.map((batch) => batch.map((each) => ({ ...each, eventId: `e${id++}` })))
        let order: OrderSum | undefined
        const aside = new Map<string, number>()
        for (const batch of all) {
          let sum: OrderSum | undefined
          for (const first of batch) sum = joinOrders(sum, { first, others: [] })
          const settled = settleOrder(order, sum!)
          order = settled.after
          for (const { dayNo, reason, currency, purchases } of settled.aside) {
            const key = `${dayNo} ${reason} ${currency}`
            aside.set(key, (aside.get(key) ?? 0) + purchases)
          }
        }
        const purchases = all.flat().sort(compareRanks)
        const counting = purchases[0]!
        expect(order!.first).toBe(counting)
        const expected = new Map<string, number>()
        for (const each of purchases) {
          const reason = repetitionReason(each, counting)
          if (reason === null) continue
          const key = `${each.dayNo} ${reason} ${each.currency}`
          expected.set(key, (expected.get(key) ?? 0) + 1)
        }
        expect(new Map([...aside].filter(([, count]) => count !== 0))).toEqual(expected)
      },
    ),
  )
})

it('keeps a bounded number of repetitions and counts those beyond it too', () => {
  const base = { trust: 'claimed' as const, dayNo: 1, currency: 'EUR' }
  let order: OrderSum | undefined
  let aside = 0
  for (let n = 0; n < 1000; n++) {
    const settled = settleOrder(order, { first: { ...base, seq: n, eventId: `e${n}`, gross: n }, others: [] })
    order = settled.after
    aside += settled.aside.reduce((sum, { purchases }) => sum + purchases, 0)
  }
  expect(aside).toBe(999)
  expect(JSON.stringify(order).length).toBeLessThan(2000)
})
