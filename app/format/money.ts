import type { Money } from '../../trpc/schema/common.ts'
import { formatCompact, minus } from './number.ts'

interface Currency {
  format: Intl.NumberFormat | null
  digits: number
  symbol: string
}

const currencies = new Map<string, Currency>()

function currencyOf(code: string): Currency {
  let known = currencies.get(code)
  if (!known) {
    try {
      const format = new Intl.NumberFormat('en-US', { style: 'currency', currency: code })
      known = {
        format,
        digits: format.resolvedOptions().maximumFractionDigits ?? 2,
        symbol: format.formatToParts(0).find((part) => part.type === 'currency')?.value ?? code,
      }
    } catch {
      // A code that is not even three letters: older events may hold anything.
      known = { format: null, digits: 2, symbol: code }
    }
    currencies.set(code, known)
  }
  return known
}

/** Minor units as an amount: (1234560, "EUR") -> "€12,345.60", (120000, "CHF") -> "CHF 1,200.00". */
export function formatMoney(minorUnits: number, currency: string): string {
  return formatAmount(minorUnits / 10 ** currencyOf(currency).digits, currency)
}

/** A decimal amount as payloads carry it: (59.4, "EUR") -> "€59.40". A code is set off by a no-break space. */
export function formatAmount(amount: number, currency: string): string {
  const { format, digits } = currencyOf(currency)
  const text = format ? format.format(Math.abs(amount)) : `${currency} ${Math.abs(amount).toFixed(digits)}`
  return `${amount < 0 ? minus : ''}${text}`
}

/** Axis label of an amount in minor units: (600000, "EUR") -> "€6k". */
export function formatMoneyAxis(minorUnits: number, currency: string): string {
  const { digits, symbol } = currencyOf(currency)
  return `${symbol}${symbol.length > 2 ? ' ' : ''}${formatCompact(minorUnits / 10 ** digits)}`
}

/** Minor units as a plain decimal for files: (1234560, "EUR") -> "12345.60". */
export function plainAmount(minorUnits: number, currency: string): string {
  const { digits } = currencyOf(currency)
  return (minorUnits / 10 ** digits).toFixed(digits)
}

/** The shop's main currency first, then by number of orders as they come. */
export function mainFirst(money: readonly Money[], main: string): Money[] {
  return [...money].sort((a, b) => Number(b.currency === main) - Number(a.currency === main))
}

/** Gross of a currency in minor units, 0 where there is none. */
export function grossOf(money: readonly Money[], currency: string): number {
  return money.find((sum) => sum.currency === currency)?.gross ?? 0
}
