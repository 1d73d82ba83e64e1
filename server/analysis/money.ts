import type { Money } from '../../trpc/schema/common.ts'

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
