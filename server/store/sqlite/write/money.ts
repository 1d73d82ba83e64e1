import type { AsideReason, Trust } from '../../../../trpc/schema/common.ts'
import { type ExactAside, type ExactMoney, MOST_GROSS } from '../../figures.ts'
import { GatheredAside, GatheredMoney } from '../../gathered.ts'
import type { Database } from '../database.ts'

export function trustOf(claimed: number): Trust {
  return claimed === 1 ? 'claimed' : 'verified'
}

/** Orders and gross by currency that a batch adds. */
export class MoneyDelta extends GatheredMoney {
  /** Into a table (…keys, currency, orders, gross, …); rows without orders go. */
  save(db: Database, { upsert, prune }: MoneyTable, ...keys: number[]): void {
    for (const [currency, orders, ...sums] of this.sums()) {
      db.run(upsert, ...keys, currency, orders, ...sums)
      if (orders <= 0) db.run(prune, ...keys, currency)
    }
  }
}

export interface MoneyTable {
  upsert: string
  prune: string
}

/** A sum stops far enough below the largest integer of SQLite: one that grew into a fraction would fail its batch for ever. */
function plus(sum: string, more: string): string {
  return `min(min(${sum}, ${MOST_GROSS}) + min(${more}, ${MOST_GROSS}), ${MOST_GROSS})`
}

const CLAIMED = plus('claimed_gross', 'excluded.claimed_gross')
const VERIFIED = plus('gross - claimed_gross', 'excluded.gross - excluded.claimed_gross')

export function moneyTable(name: string, ...keys: string[]): MoneyTable {
  return {
    upsert: `INSERT INTO ${name} (${keys.join(', ')}, currency, orders, gross, claimed_orders, claimed_gross)
      VALUES (${keys.map(() => '?').join(', ')}, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET orders = orders + excluded.orders,
        claimed_orders = claimed_orders + excluded.claimed_orders, gross = ${VERIFIED} + ${CLAIMED},
        claimed_gross = ${CLAIMED}`,
    prune: `DELETE FROM ${name} WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')} AND currency = ? AND orders = 0`,
  }
}

/** What a batch adds to the purchases of a day that are set aside. */
export class AsideDelta extends GatheredAside {
  save(db: Database, siteNo: number, dayNo: number): void {
    for (const [reason, currency, purchases, gross] of this.sums()) {
      db.run(UPSERT_ASIDE, siteNo, dayNo, reason, currency, purchases, gross)
      if (purchases < 0) db.run(PRUNE_ASIDE, siteNo, dayNo, reason, currency)
    }
  }
}

const UPSERT_ASIDE = `INSERT INTO day_aside (site_no, day_no, reason, currency, purchases, gross)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET purchases = purchases + excluded.purchases,
    gross = ${plus('gross', 'excluded.gross')}`
const PRUNE_ASIDE = `DELETE FROM day_aside
  WHERE site_no = ? AND day_no = ? AND reason = ? AND currency = ? AND purchases = 0`

export interface MoneyRow {
  currency: string
  orders: number
  gross: string
  claimedOrders: number
  claimedGross: string
}

/** Columns of sums that may be larger than a number; `moneyOf` reads them. */
export const MONEY_COLUMNS = `currency, orders, CAST(gross AS TEXT) AS gross, claimed_orders AS claimedOrders,
  CAST(claimed_gross AS TEXT) AS claimedGross`

export function moneyOf({ currency, orders, gross, claimedOrders, claimedGross }: MoneyRow): ExactMoney[number] {
  return [currency, orders, BigInt(gross), claimedOrders, BigInt(claimedGross)]
}

export interface AsideRow {
  reason: AsideReason
  currency: string
  purchases: number
  gross: string
}

export const ASIDE_COLUMNS = 'reason, currency, purchases, CAST(gross AS TEXT) AS gross'

export function asideOf({ reason, currency, purchases, gross }: AsideRow): ExactAside[number] {
  return [reason, currency, purchases, BigInt(gross)]
}

/** The rows of a query for MONEY_COLUMNS. */
export function allMoney(db: Database, sql: string, ...values: number[]): ExactMoney {
  return db.all<MoneyRow>(sql, ...values).map(moneyOf)
}
