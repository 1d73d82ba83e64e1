import { isCountable, toMinorUnits } from '../../trpc/schema/minor-units.ts'
import type { StoredEvent } from './store.ts'

/** What a purchase event says about its order; gross in minor units of the currency. */
export interface Purchase {
  orderId: string
  currency: string
  gross: number
}

/** null for events that are no purchase, have issues, or lack a usable order id, revenue or currency. */
export function purchaseOf(event: Pick<StoredEvent, 'type' | 'payload' | 'issues'>): Purchase | null {
  if (event.type !== 'purchase' || event.issues !== null || event.payload === null) return null
  const { orderId, revenue, currency } = event.payload
  if (typeof orderId !== 'string' || orderId === '' || !isStorableText(orderId)) return null
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) return null
  if (typeof revenue !== 'number' || !(revenue >= 0) || !isCountable(revenue, currency)) return null
  return { orderId, currency, gross: toMinorUnits(revenue, currency) }
}

/** Lone surrogates have no UTF-8 form and SQLite's texts end at a NUL: such a text would come back as another. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
