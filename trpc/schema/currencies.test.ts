import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatAmount, formatMoney } from '../../app/format/money.ts'
import { currencyCodes, decimalsOf, isCurrency } from './currencies.ts'
import { plainAmount, toMinorUnits } from './minor-units.ts'

describe('the table of currencies', () => {
  it.each([
    ...[
      'HUF',
      'IDR',
      'COP',
      'PKR',
      'ALL',
      'AFN',
      'IRR',
      'KPW',
      'LAK',
      'LBP',
      'MGA',
      'MMK',
      'SOS',
      'SYP',
      'YER',
      'RSD',
    ].map((code) => [code, 2] as const),
    ...(['BIF', 'CLP', 'JPY', 'KRW', 'PYG', 'UGX', 'UYI', 'VND', 'XAF'] as const).map((code) => [code, 0] as const),
    ...(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'] as const).map((code) => [code, 3] as const),
    ...(['CLF', 'UYW'] as const).map((code) => [code, 4] as const),
    ...(['EUR', 'USD', 'CHE', 'XCG', 'XAD', 'HRK', 'BGN'] as const).map((code) => [code, 2] as const),
    ['not a code', 2] as const,
  ])('gives %s %s decimals', (code, decimals) => {
    expect(decimalsOf(code)).toBe(decimals)
  })

  it('has codes of three capital letters, each once, and none that is no money', () => {
    const codes = currencyCodes()
    expect(codes.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true)
    expect(new Set(codes).size).toBe(codes.length)
    for (const code of ['XXX', 'XTS', 'XAU', 'XDR', 'ABC', 'eur', '']) expect(isCurrency(code)).toBe(false)
  })
})

describe('amounts under a runtime with other data', () => {
  const own = Intl.NumberFormat
  afterEach(() => {
    Intl.NumberFormat = own
    vi.resetModules()
  })

  it('are read and written with the decimals of the table', async () => {
    Intl.NumberFormat = function other(locale: string, options: Intl.NumberFormatOptions) {
      return new own(locale, { ...options, minimumFractionDigits: 1, maximumFractionDigits: 1 })
    } as unknown as typeof Intl.NumberFormat
    vi.resetModules()
    const money = await import('../../app/format/money.ts')
    const units = await import('./minor-units.ts')
    for (const [amount, code, text] of [
      [100.5, 'HUF', 'HUF\u00a0100.50'],
      [1000, 'RSD', 'RSD\u00a01,000.00'],
      [1234.5, 'JPY', '¥1,235'],
      [1.2345, 'KWD', 'KWD\u00a01.235'],
      [39_000.12345, 'CLF', 'CLF\u00a039,000.1235'],
    ] as const) {
      const minorUnits = units.toMinorUnits(amount, code)
      expect(minorUnits).toBe(toMinorUnits(amount, code))
      expect(money.formatMoney(minorUnits, code)).toBe(text)
      expect(formatMoney(minorUnits, code)).toBe(text)
      expect(money.formatAmount(amount, code)).toBe(formatAmount(amount, code))
    }
  })
})

it('writes a sum as a plain decimal, digit by digit', () => {
  expect(plainAmount(1, 'CLF')).toBe('0.0001')
  expect(plainAmount(-5, 'EUR')).toBe('-0.05')
  expect(plainAmount(Number.MAX_SAFE_INTEGER, 'EUR')).toBe('90071992547409.91')
  expect(plainAmount(0, 'KWD')).toBe('0.000')
  expect(plainAmount(1500, 'JPY')).toBe('1500')
})
