import { compareRanks, MOST_KEPT, type OrderRank, type Repetitions } from './orders.ts'
import type { Purchase } from './purchase.ts'

/**
 * The repetitions of one day that orders keep, from the purchases of that day and of those beside it: by other rules of
 * time zones a purchase was of one of the three.
 */
export class DayRepetitions {
  readonly #dayNo: number
  readonly #purchases = new Map<string, (OrderRank & { currency: string; gross: number })[]>()

  constructor(dayNo: number) {
    this.#dayNo = dayNo
  }

  add(rank: OrderRank, dayNo: number, { orderId, currency, gross }: Purchase): void {
    let own = this.#purchases.get(orderId)
    if (!own) {
      own = []
      this.#purchases.set(orderId, own)
    }
    const { trust, seq, eventId } = rank
    if (dayNo === this.#dayNo) own.push({ trust, seq, eventId, currency, gross })
  }

  get orderIds(): string[] {
    return [...this.#purchases.keys()]
  }

  /** What the order is to keep beside the purchase that it counts by; null when it keeps just that. */
  othersOf(orderId: string, counting: OrderRank, others: Repetitions): Repetitions | null {
    const ofDay = new Map<string, Repetitions[number]>()
    for (const purchase of this.#purchases.get(orderId) ?? []) {
      if (compareRanks(purchase, counting) === 0) continue
      const { currency, gross } = purchase
      const sum = ofDay.get(`${currency} ${gross}`)
      if (sum) sum[3] += 1
      else ofDay.set(`${currency} ${gross}`, [currency, gross, this.#dayNo, 1])
    }
    const kept = others.filter(([, , dayNo]) => dayNo === this.#dayNo)
    const isSame = ([currency, gross, , purchases]: Repetitions[number]) =>
      ofDay.get(`${currency} ${gross}`)?.[3] === purchases
    if (kept.length === ofDay.size && kept.every(isSame)) return null
    return [...others.filter(([, , dayNo]) => dayNo !== this.#dayNo), ...ofDay.values()].slice(0, MOST_KEPT)
  }
}
