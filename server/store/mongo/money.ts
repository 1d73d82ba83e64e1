import { Long } from 'mongodb'
import type { Money } from '../../../trpc/schema/common.ts'
import { sortMoney } from '../../analysis/money.ts'
import type { ExactMoney } from '../figures.ts'
import type { ExactSum, MoneySums } from './rows.ts'

export interface OrderValue {
  currency: string
  gross: number
}

/** The sums with an order more, or one less; currencies without orders go. */
export function withOrder(sums: MoneySums, { currency, gross }: OrderValue, sign: 1 | -1): MoneySums {
  const rest = sums.filter(([other]) => other !== currency)
  const [, orders, total] = sums.find(([other]) => other === currency) ?? [currency, 0, 0]
  return orders + sign === 0 ? rest : [...rest, [currency, orders + sign, plus(total, sign * gross)]]
}

export function toExact(sums: MoneySums): ExactMoney {
  return sums.map(([currency, orders, gross]) => [currency, orders, BigInt(gross.toString())])
}

export function fromExact(sums: ExactMoney): MoneySums {
  return sums.map(([currency, orders, gross]) => [currency, orders, exactSum(gross)])
}

/** A sum that no number can hold stops at the largest that can: somebody may post orders of any size. */
export function toMoney(sums: MoneySums): Money[] {
  return sortMoney(sums.map(([currency, orders, gross]) => ({ currency, orders, gross: shown(gross) })))
}

export function shown(sum: ExactSum): number {
  return Math.min(Number(sum), Number.MAX_SAFE_INTEGER)
}

/** Exact beyond numbers too, or an order that moves away would leave a wrong rest. */
function plus(total: ExactSum, change: number): ExactSum {
  if (typeof total === 'number' && Number.isSafeInteger(total + change)) return total + change
  return exactSum(BigInt(total.toString()) + BigInt(change))
}

function exactSum(sum: bigint): ExactSum {
  if (sum > MOST) return Long.MAX_VALUE
  const number = Number(sum)
  return Number.isSafeInteger(number) ? number : Long.fromBigInt(sum)
}

const MOST = Long.MAX_VALUE.toBigInt()
