import { type ExactAside, type ExactMoney, MOST_GROSS, type OrderValue, orderMoney } from './figures.ts'

/**
 * Orders and gross by currency that a batch or a fold adds; fewer than none where an order moved away. An order costs
 * the same whatever the currencies of those before it.
 */
export class GatheredMoney {
  readonly #sums = new Map<string, ExactMoney[number]>()
  orders = 0

  add(order: OrderValue, sign: 1 | -1): void {
    this.addSums(orderMoney(order, sign))
  }

  addSums(sums: ExactMoney): void {
    for (const [currency, orders, gross, claimedOrders, claimedGross] of sums) {
      this.orders += orders
      const sum = this.#sums.get(currency)
      if (!sum) this.#sums.set(currency, [currency, orders, gross, claimedOrders, claimedGross])
      else {
        sum[1] += orders
        sum[2] += gross
        sum[3] += claimedOrders
        sum[4] += claimedGross
      }
    }
  }

  sums(): ExactMoney {
    return [...this.#sums.values()].map(([currency, orders, gross, claimedOrders, claimedGross]) => {
      const claimed = stopped(claimedGross)
      return [currency, orders, stopped(gross - claimedGross) + claimed, claimedOrders, claimed]
    })
  }
}

/** The same of purchases that are set aside. */
export class GatheredAside {
  readonly #sums = new Map<string, ExactAside[number]>()

  add([reason, currency, purchases, gross]: ExactAside[number]): void {
    const key = `${reason} ${currency}`
    const sum = this.#sums.get(key)
    if (!sum) this.#sums.set(key, [reason, currency, purchases, gross])
    else {
      sum[2] += purchases
      sum[3] += gross
    }
  }

  sums(): ExactAside {
    const changed = [...this.#sums.values()].filter(([, , purchases, gross]) => purchases !== 0 || gross !== 0n)
    return changed.map(([reason, currency, purchases, gross]) => [reason, currency, purchases, stopped(gross)])
  }
}

/** A sum as both engines keep it. */
function stopped(gross: bigint): bigint {
  if (gross > MOST_GROSS) return MOST_GROSS
  return gross < -MOST_GROSS ? -MOST_GROSS : gross
}
