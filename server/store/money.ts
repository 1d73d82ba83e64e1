import type { AsideSum, Money } from '../../trpc/schema/common.ts'
import { decimalsOf } from '../../trpc/schema/currencies.ts'
import { compareText } from './event-order.ts'
import type { ExactAside, ExactMoney } from './figures.ts'

/** Exact sums as answers have them: largest number of orders first, then by code. */
export function toMoney(sums: ExactMoney): Money[] {
  return sums
    .map(([currency, orders, gross, claimedOrders, claimedGross]) => ({
      currency,
      decimals: decimalsOf(currency),
      orders,
      ...shown(gross),
      verified: { orders: orders - claimedOrders, ...shown(gross - claimedGross) },
      claimed: { orders: claimedOrders, ...shown(claimedGross) },
    }))
    .sort((a, b) => b.orders - a.orders || (a.currency < b.currency ? -1 : 1))
}

/** The same of purchases that are set aside: most of them first. */
export function toAside(sums: ExactAside): AsideSum[] {
  return sums
    .map(([reason, currency, purchases, gross]) => ({
      reason,
      currency: currency || null,
      decimals: currency ? decimalsOf(currency) : null,
      purchases,
      ...shown(gross),
    }))
    .sort(
      (a, b) =>
        b.purchases - a.purchases || compareText(a.reason, b.reason) || compareText(a.currency ?? '', b.currency ?? ''),
    )
}

const MOST = BigInt(Number.MAX_SAFE_INTEGER)

/** A sum that no number holds stops at the largest that does, and says so: somebody may post orders of any size. */
function shown(gross: bigint): { gross: number; isMore?: true } {
  return gross > MOST ? { gross: Number.MAX_SAFE_INTEGER, isMore: true } : { gross: Number(gross) }
}
