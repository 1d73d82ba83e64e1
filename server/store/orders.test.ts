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

it('joins thousands of purchases of one order in one list that grows, rather than in a new one for each', () => {
  const base = { trust: 'claimed' as const, dayNo: 1, currency: 'EUR' }
  let sum = joinOrders(undefined, { first: { ...base, seq: 0, eventId: 'e0', gross: 0 }, others: [] })
  const list = sum.others
  for (let seq = 1; seq < 5000; seq++)
    sum = joinOrders(sum, { first: { ...base, seq, eventId: `e${seq}`, gross: seq }, others: [] })
  expect(sum.others).toBe(list)
  expect(list).toHaveLength(4999)
})

it('leaves what is joined to something else as it was', () => {
  const first = (seq: number) => ({
    ...{ trust: 'claimed' as const, dayNo: 1, currency: 'EUR' },
    seq,
    eventId: `e${seq}`,
    gross: 5,
  })
  const packed: OrderSum = { first: first(2), others: [['EUR', 7, 1, 3]] }
  const sum = joinOrders(joinOrders(joinOrders(undefined, packed), packed), { first: first(1), others: [] })
  expect(sum).toEqual({
    first: first(1),
    others: [
      ['EUR', 7, 1, 6],
      ['EUR', 5, 1, 2],
    ],
  })
  expect(packed).toEqual({ first: first(2), others: [['EUR', 7, 1, 3]] })
})
