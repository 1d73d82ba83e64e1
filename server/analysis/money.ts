import type { Money } from '../../trpc/schema/common.ts'

const digits = new Map<string, number>()

/** Decimals of a currency as in ISO 4217 (EUR 2, JPY 0, KWD 3); 2 for codes the runtime does not know. */
export function minorDigits(currency: string): number {
  let known = digits.get(currency)
  if (known === undefined) {
    try {
      known = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
    } catch {
      known = 2
    }
    digits.set(currency, known)
  }
  return known
}

/**
 * A decimal amount as integer minor units, rounded half away from zero. Going through 15 significant digits keeps
 * 1.005 from becoming 100.
 */
export function toMinorUnits(amount: number, currency: string): number {
  const scaled = Number((Math.abs(amount) * 10 ** minorDigits(currency)).toPrecision(15))
  return Math.round(scaled) * Math.sign(amount) || 0
}

/** Sums by currency, largest number of orders first, then by code. */
export function sumMoney(rows: Iterable<Money>): Money[] {
  const sums = new Map<string, Money>()
  for (const row of rows) {
    const sum = sums.get(row.currency)
    if (sum) {
      sum.orders += row.orders
      sum.gross += row.gross
    } else sums.set(row.currency, { ...row })
  }
  return sortMoney([...sums.values()])
}

export function sortMoney(rows: Money[]): Money[] {
  return rows.sort((a, b) => b.orders - a.orders || (a.currency < b.currency ? -1 : 1))
}
