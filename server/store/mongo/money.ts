import type { Money } from '../../../trpc/schema/common.ts'
import { sortMoney } from '../../analysis/money.ts'
import type { MoneySums } from './rows.ts'

export interface OrderValue {
  currency: string
  gross: number
}

/** The sums with an order more, or one less; currencies without orders go. */
export function withOrder(sums: MoneySums, { currency, gross }: OrderValue, sign: 1 | -1): MoneySums {
  const rest = sums.filter(([other]) => other !== currency)
  const [, orders, total] = sums.find(([other]) => other === currency) ?? [currency, 0, 0]
  return orders + sign === 0 ? rest : [...rest, [currency, orders + sign, total + sign * gross]]
}

export function toMoney(sums: MoneySums): Money[] {
  return sortMoney(sums.map(([currency, orders, gross]) => ({ currency, orders, gross })))
}
