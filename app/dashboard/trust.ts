import type { Money } from '../../trpc/schema/common.ts'
import type { Overview } from '../../trpc/schema/stats.ts'

/** Which orders count (?trust): all of them, or only those stated with a server key. */
export const trusts = { all: 'All orders', verified: 'Verified orders' } as const
export type Trust = keyof typeof trusts

/** The ?trust of an address, and whether its value is valid; an invalid value counts all orders. */
export function readTrust(params: URLSearchParams): { trust: Trust; isKnown: boolean } {
  const asked = params.get('trust')
  return { trust: asked === 'verified' ? asked : 'all', isKnown: asked === null || Object.hasOwn(trusts, asked) }
}

/** Sums without the orders that only browsers claim. */
export function verifiedOf(money: readonly Money[]): Money[] {
  return money.flatMap(({ currency, decimals, verified }) =>
    verified.orders === 0 ? [] : [{ currency, decimals, ...verified, verified, claimed: { orders: 0, gross: 0 } }],
  )
}

/**
 * The overview with verified orders and revenue only. Its conversion is null: sessions do not record whether their
 * orders are verified or claimed.
 */
export function onlyVerified(overview: Overview): Overview {
  const { previous } = overview
  return { ...verified(overview), ...(previous && { previous: verified(previous) }) }
}

function verified<Part extends Pick<Overview, 'orders' | 'conversion' | 'money' | 'days'>>(part: Part): Part {
  const money = verifiedOf(part.money)
  return {
    ...part,
    money,
    orders: ordersOf(money),
    conversion: null,
    days: part.days.map((day) => {
      const ofDay = verifiedOf(day.money)
      return { ...day, money: ofDay, orders: ordersOf(ofDay) }
    }),
  }
}

function ordersOf(money: readonly Money[]): number {
  return money.reduce((sum, { orders }) => sum + orders, 0)
}
