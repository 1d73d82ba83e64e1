import type { Database } from '../database.ts'
import { recountOrders } from '../recount/orders.ts'

/**
 * Trust with every event and sum, other purchases of an order, and what is set aside. Orders are counted again, since
 * what counts as one, and how many decimals its amount has, are answered otherwise now (docs/decisions/015-money.md).
 */
export function orders(db: Database, progress: (done: number, of: number) => void): void {
  for (const { month } of db.all<{ month: number }>('SELECT month FROM months'))
    db.exec(`ALTER TABLE events_${month} ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0`)
  db.exec(`
    ALTER TABLE orders ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0;
    -- Other purchases of the order (JSON of Repetitions), null for none.
    ALTER TABLE orders ADD COLUMN others TEXT;
  `)
  for (const table of ['user_money', 'session_money', 'day_money'])
    db.exec(`ALTER TABLE ${table} ADD COLUMN claimed_orders INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE ${table} ADD COLUMN claimed_gross INTEGER NOT NULL DEFAULT 0;`)
  db.exec(`
    -- Purchases that do not count as orders, by why. The currency is '' where the event has none that is known.
    CREATE TABLE day_aside (
      site_no INTEGER NOT NULL,
      day_no INTEGER NOT NULL,
      reason TEXT NOT NULL,
      currency TEXT NOT NULL,
      purchases INTEGER NOT NULL,
      gross INTEGER NOT NULL,
      PRIMARY KEY (site_no, day_no, reason, currency)
    ) STRICT, WITHOUT ROWID;
  `)
  recountOrders(db, progress)
}
