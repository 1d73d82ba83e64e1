import type { AsideReason } from './common.ts'
import { decimalsOf, isCurrency } from './currencies.ts'
import type { PayloadIssue } from './event.ts'
import { isCountable, toMinorUnits } from './minor-units.ts'

/** What a purchase says of its order; gross in minor units of the currency. */
export interface Purchase {
  orderId: string
  currency: string
  gross: number
}

/** A purchase that does not count. currency is '' and gross 0 where the event does not say them. */
export interface Aside {
  reason: AsideReason
  currency: string
  gross: number
}

export type PurchaseReading = ({ purchase: Purchase } | { aside: Aside }) & {
  /** What was read in another way than it was written, and what could not be read. */
  marks: PayloadIssue[]
}

const MAX_ID_LENGTH = 4096

/**
 * Whether a payload makes an order, by its order id, revenue and currency and by nothing else of it. What has one meaning
 * only is read and marked; what might have two is not guessed at. docs/decisions/015-money.md.
 */
export function readPurchase(payload: Record<string, unknown> | null): PurchaseReading {
  const { orderId, revenue, currency } = payload ?? {}
  const said: Record<string, PayloadIssue> = {}
  const note = (field: string) => (message: string) => {
    said[field] = { path: `payload.${field}`, message }
  }
  const id = readOrderId(orderId, note('orderId'))
  const code = readCurrency(currency, note('currency'))
  const amount = readAmount(revenue, 'code' in code ? code.code : null, note('revenue'))
  const marks = ['orderId', 'revenue', 'currency'].flatMap((field) => said[field] ?? [])
  const known = { currency: 'code' in code ? code.code : '', gross: 'gross' in amount ? (amount.gross ?? 0) : 0 }
  for (const read of [id, amount, code])
    if ('reason' in read) return { aside: { reason: read.reason, ...known }, marks }
  return { purchase: { orderId: (id as { id: string }).id, ...known }, marks }
}

type Note = (message: string) => void
type Fault = { reason: AsideReason }

/** By which a purchase becomes an order: no engine finds a text with a NUL again, and half a surrogate pair has no bytes. */
function readOrderId(value: unknown, note: Note): { id: string } | Fault {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) {
    note('is missing: the purchase counts as no order')
    return { reason: 'no_order_id' }
  }
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    note(`is a number, read as the text "${value}"`)
    return { id: String(value) }
  }
  if (typeof value === 'string' && value.length <= MAX_ID_LENGTH && value.isWellFormed() && !value.includes('\0'))
    return { id: value }
  note(`is no text of at most ${MAX_ID_LENGTH} characters: the purchase counts as no order`)
  return { reason: 'odd_order_id' }
}

function readCurrency(value: unknown, note: Note): { code: string } | Fault {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) {
    note('is missing: the purchase counts as no order')
    return { reason: 'no_currency' }
  }
  if (typeof value === 'string') {
    if (isCurrency(value)) return { code: value }
    const code = value.trim().replace(/[a-z]/g, (letter) => letter.toUpperCase())
    if (isCurrency(code)) {
      note(`is read as ${code}`)
      return { code }
    }
  }
  note('is no ISO 4217 code such as EUR: the purchase counts as no order')
  return { reason: 'odd_currency' }
}

/** Without a currency the amount is judged by its form alone. */
function readAmount(
  value: unknown,
  currency: string | null,
  note: Note,
): { gross: number | null } | (Fault & { gross?: number }) {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) {
    note('is missing: the purchase counts as no order')
    return { reason: 'no_amount' }
  }
  const amount = typeof value === 'string' ? plainDecimal(value.trim(), currency) : value
  if (typeof amount !== 'number' || !Number.isFinite(amount)) {
    note('is no plain amount such as 19.99, and is not guessed at: the purchase counts as no order')
    return { reason: 'odd_amount' }
  }
  const size = Math.abs(amount)
  if (!isCountable(size, currency ?? 'EUR')) {
    note('is more than 1,000,000,000,000 minor units (cents of EUR), which is no order')
    return { reason: 'large_amount' }
  }
  const gross = currency === null ? null : toMinorUnits(amount, currency)
  if (amount < 0) {
    note('is negative: the purchase counts as no order')
    return { reason: 'negative_amount', ...(gross !== null && { gross }) }
  }
  if (typeof value === 'string') note(`is a text, read as the number ${amount}`)
  return { gross }
}

/**
 * "19.99" and "-5". Not "4.245": that is four thousand where points group digits, unless the currency has three decimals.
 */
function plainDecimal(text: string, currency: string | null): number | null {
  if (!/^-?\d{1,40}(\.\d{1,40})?$/.test(text)) return null
  const mayBeGrouped = /^-?[1-9]\d{0,2}\.\d{3}$/.test(text)
  if (mayBeGrouped && decimalsOf(currency ?? '') !== 3) return null
  return Number(text)
}
