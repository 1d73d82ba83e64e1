import type { Database } from '../database.ts'

/** Orders and gross by currency that a batch adds; fewer than none where an order moved away. */
export class MoneyDelta {
  readonly #sums = new Map<string, { orders: number; gross: number }>()
  orders = 0

  add(currency: string, sign: 1 | -1, gross: number): void {
    this.orders += sign
    const sum = this.#sums.get(currency)
    if (sum) {
      sum.orders += sign
      sum.gross += sign * gross
    } else this.#sums.set(currency, { orders: sign, gross: sign * gross })
  }

  /** Into a table (…keys, currency, orders, gross); rows without orders go. */
  save(db: Database, { upsert, prune }: MoneyTable, ...keys: number[]): void {
    for (const [currency, { orders, gross }] of this.#sums) {
      db.run(upsert, ...keys, currency, orders, gross)
      if (orders <= 0) db.run(prune, ...keys, currency)
    }
  }
}

export interface MoneyTable {
  upsert: string
  prune: string
}

export function moneyTable(name: string, ...keys: string[]): MoneyTable {
  return {
    upsert: `INSERT INTO ${name} (${keys.join(', ')}, currency, orders, gross)
      VALUES (${keys.map(() => '?').join(', ')}, ?, ?, ?)
      ON CONFLICT DO UPDATE SET orders = orders + excluded.orders, gross = gross + excluded.gross`,
    prune: `DELETE FROM ${name} WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')} AND currency = ? AND orders = 0`,
  }
}
