import { expect, it } from 'vitest'
import { addMoney, type ExactMoney, MOST_GROSS, orderMoney } from './figures.ts'

it('sums of what browsers claim stop by themselves and take nothing from what is verified', () => {
  const most: ExactMoney = [['EUR', 2, MOST_GROSS + 1234n, 1, MOST_GROSS]]
  const claimed = orderMoney({ currency: 'EUR', gross: 10 ** 12, trust: 'claimed' })
  const verified = orderMoney({ currency: 'EUR', gross: 1, trust: 'verified' })
  for (const more of [
    [claimed, verified],
    [verified, claimed],
  ]) {
    const sums = more.reduce(addMoney, most)
    expect(sums).toEqual([['EUR', 4, MOST_GROSS + 1235n, 2, MOST_GROSS]])
    // Both halves together are an integer of either engine.
    expect(addMoney(sums, [['EUR', 1, MOST_GROSS, 0, 0n]])).toEqual([['EUR', 5, 2n * MOST_GROSS, 2, MOST_GROSS]])
  }
  expect(2n * MOST_GROSS).toBeLessThan(2n ** 63n)
})
