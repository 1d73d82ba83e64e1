import { describe, expect, it } from 'vitest'
import { sumMoney } from './money.ts'

describe('sumMoney', () => {
  it('adds within a currency, puts most orders first, then goes by code, and leaves its input alone', () => {
    const rows = [
      { currency: 'USD', orders: 1, gross: 100 },
      { currency: 'EUR', orders: 1, gross: 250 },
      { currency: 'JPY', orders: 2, gross: 9 },
      { currency: 'EUR', orders: 1, gross: 50 },
      { currency: 'CHF', orders: 1, gross: 7 },
    ]
    const before = structuredClone(rows)
    expect(sumMoney(rows)).toEqual([
      { currency: 'EUR', orders: 2, gross: 300 },
      { currency: 'JPY', orders: 2, gross: 9 },
      { currency: 'CHF', orders: 1, gross: 7 },
      { currency: 'USD', orders: 1, gross: 100 },
    ])
    expect(rows).toEqual(before)
  })
})
