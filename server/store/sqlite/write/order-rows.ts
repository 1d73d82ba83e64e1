import type { Ordering, Repetitions } from '../../orders.ts'
import type { Database } from '../database.ts'
import { decodeEventId, encodeEventId } from '../event-id.ts'
import { trustOf } from './money.ts'

/** A row of `orders`. */
export interface StoredOrder extends Omit<Ordering, 'dayNo'> {
  occurredAt: number
  userNo: number
  sessionNo: number
  others: Repetitions
}

interface OrderRow {
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  user_no: number
  session_no: number
  currency: string
  gross: number
  claimed: number
  others: string | null
}

export function findOrder(db: Database, siteNo: number, orderId: string): StoredOrder | undefined {
  const row = db.get<OrderRow>(SELECT, siteNo, orderId)
  return (
    row && {
      ...{ trust: trustOf(row.claimed), seq: row.seq, eventId: decodeEventId(row.event_id) },
      ...{ occurredAt: row.occurred_at, userNo: row.user_no, sessionNo: row.session_no },
      ...{ currency: row.currency, gross: row.gross },
      others: row.others === null ? [] : (JSON.parse(row.others) as Repetitions),
    }
  )
}

/** Puts the order in the place of the one with its id. */
export function saveOrder(db: Database, siteNo: number, orderId: string, order: StoredOrder): void {
  const { occurredAt, seq, eventId, userNo, sessionNo, currency, gross, trust, others } = order
  db.run(
    REPLACE,
    ...[siteNo, orderId, occurredAt, seq, encodeEventId(eventId), userNo, sessionNo, currency, gross],
    ...[trust === 'claimed' ? 1 : 0, textOf(others)],
  )
}

export function saveOthers(db: Database, siteNo: number, orderId: string, others: Repetitions): void {
  db.run('UPDATE orders SET others = ? WHERE site_no = ? AND order_id = ?', textOf(others), siteNo, orderId)
}

function textOf(others: Repetitions): string | null {
  return others.length === 0 ? null : JSON.stringify(others)
}

const SELECT = `SELECT occurred_at, seq, event_id, user_no, session_no, currency, gross, claimed, others
  FROM orders WHERE site_no = ? AND order_id = ?`
const REPLACE = `INSERT INTO orders
    (site_no, order_id, occurred_at, seq, event_id, user_no, session_no, currency, gross, claimed, others)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET occurred_at = excluded.occurred_at, seq = excluded.seq, event_id = excluded.event_id,
    user_no = excluded.user_no, session_no = excluded.session_no, currency = excluded.currency, gross = excluded.gross,
    claimed = excluded.claimed, others = excluded.others`
