import type { Trust } from '../../../trpc/schema/common.ts'
import type { OrderRank } from '../orders.ts'
import type { OrderRow } from './rows.ts'

export function trustOf({ claimed }: { claimed?: true }): Trust {
  return claimed ? 'claimed' : 'verified'
}

export function rankOf(row: OrderRow): OrderRank {
  return { trust: trustOf(row), seq: row.seq, eventId: row.event }
}
