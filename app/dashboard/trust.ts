import type { Money } from '../../trpc/schema/common.ts'
import type { Overview } from '../../trpc/schema/stats.ts'

/** Whose orders are counted: all of them, or only those that a server key stated (?trust). */
export const trusts = { all: 'All orders', verified: 'Verified orders' } as const
export type Trust = keyof typeof trusts

/** What an address asks for, and whether it is one of the choices; what is none counts all. */
export function readTrust(params: URLSearchParams): { trust: Trust; isKnown: boolean } {
  const asked = params.get('trust')
  return { trust: asked === 'verified' ? asked : 'all', isKnown: asked === null || Object.hasOwn(trusts, asked) }
}

/** Sums without what only browsers claim. */
export function verifiedOf(money: readonly Money[]): Money[] {
  return money.flatMap(({ currency, decimals, verified }) =>
    verified.orders === 0 ? [] : [{ currency, decimals, ...verified, verified, claimed: { orders: 0, gross: 0 } }],
  )
}

/**
 * An overview whose orders and revenue are the verified ones. Sessions are not told apart by who said what their orders
 * are, so there is no share of them to state.
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
