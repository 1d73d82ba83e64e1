import { type Aside, type Purchase, readPurchase } from '../../trpc/schema/purchase.ts'
import type { StoredEvent } from './store.ts'

export type { Aside, Purchase }

/** What a purchase event comes to: an order, or why it is none. Null for other events. */
export function purchaseOf(
  event: Pick<StoredEvent, 'type' | 'payload'>,
): { purchase: Purchase } | { aside: Aside } | null {
  return event.type === 'purchase' ? readPurchase(event.payload) : null
}

/** Lone surrogates have no UTF-8 form and SQLite's texts end at a NUL: such a text would come back as another. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
