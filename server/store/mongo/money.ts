import { Long } from 'mongodb'
import { addAside, addMoney, type ExactAside, type ExactMoney } from '../figures.ts'
import type { AsideSums, ExactSum, MoneySums } from './rows.ts'

/** Both together; currencies without orders go. */
export function withMoney(sums: MoneySums, more: ExactMoney): MoneySums {
  return more.length === 0 ? sums : fromExact(addMoney(toExact(sums), more))
}

export function withAside(sums: AsideSums | undefined, more: ExactAside): AsideSums | undefined {
  return more.length === 0 ? sums : asideSums(addAside(toExactAside(sums), more))
}

export function toExact(sums: MoneySums): ExactMoney {
  return sums.map(([currency, orders, gross, claimedOrders = 0, claimedGross = 0]) => [
    ...([currency, orders, exact(gross), claimedOrders, exact(claimedGross)] as const),
  ])
}

export function fromExact(sums: ExactMoney): MoneySums {
  return sums.map(([currency, orders, gross, claimedOrders, claimedGross]) => [
    ...([currency, orders, exactSum(gross), claimedOrders, exactSum(claimedGross)] as const),
  ])
}

export function toExactAside(sums: AsideSums = []): ExactAside {
  return sums.map(([reason, currency, purchases, gross]) => [reason, currency, purchases, exact(gross)])
}

export function asideSums(sums: ExactAside): AsideSums {
  return sums.map(([reason, currency, purchases, gross]) => [reason, currency, purchases, exactSum(gross)])
}

function exact(sum: ExactSum): bigint {
  return BigInt(sum.toString())
}

/** A Long beyond numbers, or an order that moves away would leave a wrong rest. */
function exactSum(sum: bigint): ExactSum {
  const number = Number(sum)
  return Number.isSafeInteger(number) ? number : Long.fromBigInt(sum)
}
