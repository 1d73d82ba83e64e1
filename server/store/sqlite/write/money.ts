import type { Database } from '../database.ts'

interface MoneySum {
  orders: number
  /** A bigint where no number holds it: a batch may have thousands of the largest orders. */
  gross: number | bigint
}

/** Orders and gross by currency that a batch adds; fewer than none where an order moved away. */
export class MoneyDelta {
  readonly #sums = new Map<string, MoneySum>()
  orders = 0

  add(currency: string, sign: 1 | -1, gross: number): void {
    this.orders += sign
    const sum = this.#sums.get(currency)
    if (sum) {
      sum.orders += sign
      sum.gross = plus(sum.gross, sign * gross)
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

function plus(sum: number | bigint, change: number): number | bigint {
  if (typeof sum === 'bigint') return sum + BigInt(change)
  const number = sum + change
  return Number.isSafeInteger(number) ? number : BigInt(sum) + BigInt(change)
}

export interface MoneyTable {
  upsert: string
  prune: string
}

/** A sum stops at the largest integer of SQLite: one that grew into a fraction would fail its batch for ever. */
export function moneyTable(name: string, ...keys: string[]): MoneyTable {
  return {
    upsert: `INSERT INTO ${name} (${keys.join(', ')}, currency, orders, gross)
      VALUES (${keys.map(() => '?').join(', ')}, ?, ?, ?)
      ON CONFLICT DO UPDATE SET orders = orders + excluded.orders,
        gross = CASE WHEN gross > ${MOST} - max(excluded.gross, 0) THEN ${MOST} ELSE gross + excluded.gross END`,
    prune: `DELETE FROM ${name} WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')} AND currency = ? AND orders = 0`,
  }
}

const MOST = 2n ** 63n - 1n
