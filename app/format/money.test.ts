import { describe, expect, it } from 'vitest'
import { plainAmount } from '../../trpc/schema/minor-units.ts'
import { formatAmount, formatMoney, formatMoneyAxis, formatSum, grossOf, mainFirst, sumCell } from './money.ts'

describe('money', () => {
  it('writes each currency with its own sign and decimals', () => {
    expect(formatMoney(1234560, 'EUR')).toBe('€12,345.60')
    expect(formatMoney(3811420, 'USD')).toBe('$38,114.20')
    expect(formatMoney(120000, 'CHF')).toBe('CHF\u00a01,200.00')
    expect(formatMoney(1500, 'JPY')).toBe('¥1,500')
    expect(formatMoney(1500, 'KWD')).toBe('KWD\u00a01.500')
  })

  it('puts a true minus first', () => {
    expect(formatMoney(-1950, 'EUR')).toBe('−€19.50')
    expect(formatAmount(59.4, 'EUR')).toBe('€59.40')
  })

  it('survives a code that is no currency', () => {
    expect(formatMoney(500, 'eu')).toBe('eu\u00a05.00')
    expect(formatMoney(500, 'XQZ')).toContain('5.00')
  })

  it('shortens axis labels and keeps files plain', () => {
    expect(formatMoneyAxis(600_000, 'EUR')).toBe('€6k')
    expect(formatMoneyAxis(1_200_000, 'CHF')).toBe('CHF 12k')
    expect(plainAmount(1234560, 'EUR')).toBe('12345.60')
    expect(plainAmount(1500, 'JPY')).toBe('1500')
  })

  it('says where a sum is more than a number can say, also in a file', () => {
    const most = { currency: 'EUR', gross: Number.MAX_SAFE_INTEGER, isMore: true as const }
    expect(formatSum(most)).toBe('more than €90,071,992,547,409.91')
    expect(sumCell([most], 'EUR')).toBe('more than 90071992547409.91')
    expect(formatSum({ ...most, isMore: undefined })).toBe('€90,071,992,547,409.91')
    expect(sumCell([{ currency: 'EUR', gross: 150 }], 'EUR')).toEqual({ digits: '1.50' })
    expect(sumCell([most], 'CHF')).toEqual({ digits: '0.00' })
  })

  it('shows the main currency first and leaves the order of the others', () => {
    const sums = ['USD', 'CHF', 'EUR'].map((currency) => ({ currency, orders: 1, gross: 1 }))
    expect(mainFirst(sums, 'EUR').map((sum) => sum.currency)).toEqual(['EUR', 'USD', 'CHF'])
    expect(grossOf(sums, 'CHF')).toBe(1)
    expect(grossOf(sums, 'SEK')).toBe(0)
  })
})
