import type { OrderRow } from '../../store.ts'
import type { Database } from '../database.ts'
import { decodeEventId } from '../event-id.ts'
import { trustOf } from '../write/money.ts'
import { siteNumber } from './site.ts'

/** Which purchases these orders count by. */
export function orders(db: Database, { siteId, orderIds }: { siteId: string; orderIds: string[] }): OrderRow[] {
  const siteNo = siteNumber(db, siteId)
  return [...new Set(orderIds)].flatMap((orderId) => {
    const row = db.get<StoredOrder>(SELECT, siteNo, orderId)
    if (!row) return []
    const { userId, event_id, claimed, currency, gross } = row
    return [{ orderId, userId, eventId: decodeEventId(event_id), trust: trustOf(claimed), currency, gross }]
  })
}

interface StoredOrder {
  userId: string
  event_id: string | Uint8Array
  claimed: number
  currency: string
  gross: number
}

const SELECT = `SELECT u.user_id AS userId, o.event_id, o.claimed, o.currency, o.gross
  FROM orders o JOIN users u ON u.user_no = o.user_no WHERE o.site_no = ? AND o.order_id = ?`
