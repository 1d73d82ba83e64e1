import type { ExactAside, ExactMoney } from './figures.ts'
import { GatheredAside, GatheredMoney } from './gathered.ts'
import { compareRanks, joinOrders, type Ordering, type OrderRank, type OrderSum, settleOrder } from './orders.ts'
import type { Aside, Purchase } from './purchase.ts'

interface PartOrdering<SessionKey> extends Ordering {
  session: SessionKey
}

/** Days mean nothing here: all purchases are of the one part. */
const DAY = 0

/** Orders by some of the purchases: which of them count, and what is set aside of the others. */
export class PartOrders<SessionKey> {
  readonly #purchases = new Map<string, OrderSum<PartOrdering<SessionKey>>>()
  readonly #sessions = new Set<SessionKey>()
  readonly #money = new GatheredMoney()
  readonly #aside = new GatheredAside()

  addPurchase(rank: OrderRank, session: SessionKey, reading: { purchase: Purchase } | { aside: Aside }): void {
    if ('aside' in reading) {
      const { reason, currency, gross } = reading.aside
      this.#aside.add([reason, currency, 1, BigInt(gross)])
      return
    }
    const { orderId, currency, gross } = reading.purchase
    const { trust, seq, eventId } = rank
    const first = { trust, seq, eventId, dayNo: DAY, currency, gross, session }
    this.#purchases.set(orderId, joinOrders(this.#purchases.get(orderId), { first, others: [] }))
  }

  get orderIds(): string[] {
    return [...this.#purchases.keys()]
  }

  /** `counting` is what the order counts by, as the store has it: it may be none of these purchases. */
  addOrder(orderId: string, counting: (OrderRank & { currency: string; gross: number }) | undefined): void {
    const own = this.#purchases.get(orderId)
    if (!own) return
    const isElsewhere = counting !== undefined && compareRanks(counting, own.first) < 0
    if (!isElsewhere) {
      this.#money.add(own.first, 1)
      this.#sessions.add(own.first.session)
    }
    const before: OrderSum | undefined = isElsewhere ? { first: { ...counting, dayNo: DAY }, others: [] } : undefined
    const { aside } = settleOrder(before, own as OrderSum)
    for (const { reason, currency, purchases, gross } of aside) this.#aside.add([reason, currency, purchases, gross])
  }

  get orders(): number {
    return this.#money.orders
  }

  get money(): ExactMoney {
    return this.#money.sums()
  }

  get aside(): ExactAside {
    return this.#aside.sums()
  }

  /** Sessions of the orders. */
  get sessions(): ReadonlySet<SessionKey> {
    return this.#sessions
  }
}
