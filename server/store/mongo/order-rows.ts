import { dayNumberOf } from '../../analysis/zones.ts'
import { fromOrderKey } from './order-key.ts'
import { rankOf } from './order-rank.ts'
import { sessionRowId, siteOfRowId, userOfRowId, userRowId } from './row-id.ts'
import type { OrderRow } from './rows.ts'
import type { OrderSum } from './write/summary.ts'

/** An order as its row says it; the zone is that of its site. */
export function orderSumOf(row: OrderRow, zone: string): OrderSum {
  const { at: occurredAt, user, session, currency, gross, others = [] } = row
  const ids = { userId: userOfRowId(user), sessionId: fromOrderKey(session.slice(user.length + 1)) }
  return {
    first: { ...rankOf(row), ...ids, occurredAt, dayNo: dayNumberOf(zone, occurredAt), currency, gross },
    others,
  }
}

export function rowOfOrder(_id: string, fold: number, { first, others }: OrderSum): OrderRow {
  const { occurredAt: at, seq, eventId: event, userId, sessionId, trust, currency, gross } = first
  const user = userRowId(siteOfRowId(_id), userId)
  return {
    ...{ _id, fold, at, seq, event, user, session: sessionRowId(user, sessionId), currency, gross },
    ...(trust === 'claimed' && { claimed: true as const }),
    ...(others.length > 0 && { others }),
  }
}
