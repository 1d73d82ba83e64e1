import type { OrderRow } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { trustOf } from '../order-rank.ts'
import { idOfRowId, plainRowId, userOfRowId } from '../row-id.ts'

/** Which purchases these orders count by. */
export async function orders(
  rows: Collections,
  { siteId, orderIds }: { siteId: string; orderIds: string[] },
): Promise<OrderRow[]> {
  const ids = [...new Set(orderIds)].map((orderId) => plainRowId(siteId, orderId))
  const found = await rows.orders.find({ _id: { $in: ids } }, { maxTimeMS: READ_TIMEOUT_MS }).toArray()
  return found.map((row) => {
    const { _id, user, event, currency, gross } = row
    const eventId = event
    return { orderId: idOfRowId(_id), userId: userOfRowId(user), eventId, trust: trustOf(row), currency, gross }
  })
}
