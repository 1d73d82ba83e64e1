import { describe, expect, it } from 'vitest'
import type { Money } from '../../trpc/schema/common.ts'
import { readTrust, verifiedOf } from './trust.ts'

const sum = (currency: string, orders: number, gross: number, claimed: Money['claimed']): Money => ({
  ...{ currency, decimals: 2, orders, gross, claimed },
  verified: { orders: orders - claimed.orders, gross: gross - claimed.gross },
})

describe('verified orders', () => {
  it('are those of all that browsers do not only claim', () => {
    expect(verifiedOf([sum('EUR', 3, 3000, { orders: 1, gross: 1000 })])).toEqual([
      sum('EUR', 2, 2000, { orders: 0, gross: 0 }),
    ])
  })

  it('leave no currency of which there is none, and one whose orders cost nothing', () => {
    const money = [sum('USD', 1, 500, { orders: 1, gross: 500 }), sum('CHF', 2, 700, { orders: 1, gross: 700 })]
    expect(verifiedOf(money)).toEqual([sum('CHF', 1, 0, { orders: 0, gross: 0 })])
  })

  it('are there exactly where browsers claim more than a number can say', () => {
    const most = { gross: Number.MAX_SAFE_INTEGER, isMore: true as const }
    const all: Money = { ...sum('EUR', 3, 0, { orders: 2, ...most }), ...most, verified: { orders: 1, gross: 1234 } }
    expect(verifiedOf([all])).toEqual([sum('EUR', 1, 1234, { orders: 0, gross: 0 })])
  })

  it('are asked for by the address; what it may not ask for counts all', () => {
    const read = (search: string) => readTrust(new URLSearchParams(search))
    expect(read('trust=verified')).toEqual({ trust: 'verified', isKnown: true })
    expect(read('')).toEqual({ trust: 'all', isKnown: true })
    expect(read('trust=constructor')).toEqual({ trust: 'all', isKnown: false })
  })
})
