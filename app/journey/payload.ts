import type { Money } from '../../trpc/schema/common.ts'
import { cut } from '../format/cut.ts'
import { formatAmount, formatSum } from '../format/money.ts'
import { formatNumber, plural } from '../format/number.ts'

/** A property of a payload as shown to readers. */
export interface Fact {
  label: string
  value: string
}

const moneyNames = /^(price|revenue|tax|shipping|discount|total|subtotal|amount|value)$/i
const MAX_DEPTH = 4

/** "resultsCount" -> "Results count", "deviceType" -> "Device type", "url" -> "URL" */
export function labelOf(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
    .replace(/\b(url|id|sku|ip|os)\b/g, (word) => word.toUpperCase())
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Longer texts and lists are cut; the event's JSON on the page shows everything. */
const MAX_LABEL = 60
const MAX_TEXT = 500
const MAX_FACTS = 50

/** A text cut to maxCharacters code points, with "…" if it was longer. */
export function shortened(text: string, maxCharacters: number = MAX_TEXT): string {
  const short = cut(text, maxCharacters)
  return short === text ? text : `${short.trimEnd()}…`
}

/** All values of a payload, labeled with their path in words; a list of plain values becomes one line. */
export function factsOf(payload: Record<string, unknown>, except: ReadonlySet<string> = new Set()): Fact[] {
  const currency = typeof payload.currency === 'string' ? payload.currency : null
  const all = Object.entries(payload)
    .filter(([name]) => !except.has(name))
    .flatMap(([name, value]) => facts(labelOf(name), name, value, currency, 1))
  const shown = all
    .slice(0, MAX_FACTS)
    .map(({ label, value }) => ({ label: shortened(label, MAX_LABEL), value: shortened(value) }))
  const left = all.length - shown.length
  return left === 0 ? shown : [...shown, { label: 'And', value: `${plural(left, 'more value')} in the JSON` }]
}

function facts(label: string, name: string, value: unknown, currency: string | null, depth: number): Fact[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [{ label, value: 'none' }]
    if (value.every((item) => typeof item !== 'object' || item === null) || depth >= MAX_DEPTH)
      return [{ label, value: value.map((item) => plain(name, item, currency)).join(', ') }]
    return value.flatMap((item, index) => facts(`${label} ${index + 1}`, name, item, currency, depth + 1))
  }
  if (typeof value === 'object' && value !== null) {
    const inside = Object.entries(value)
    if (inside.length === 0) return [{ label, value: 'none' }]
    if (depth >= MAX_DEPTH) return [{ label, value: JSON.stringify(value) }]
    return inside.flatMap(([key, item]) =>
      facts(`${label} › ${labelOf(key).toLowerCase()}`, key, item, currency, depth + 1),
    )
  }
  return [{ label, value: plain(name, value, currency) }]
}

function plain(name: string, value: unknown, currency: string | null): string {
  if (typeof value === 'number')
    return currency && moneyNames.test(name) ? formatAmount(value, currency) : formatNumber(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (value === null || value === undefined || value === '') return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Text after the subject of an event, and the names of the properties it shows. `isPoor` highlights it. */
export interface Detail {
  text: string
  of: string[]
  isPoor: boolean
}

export function detailOf(type: string, payload: Record<string, unknown>): Detail | null {
  const { price, quantity, currency, resultsCount } = payload
  if (type === 'add_to_cart' && typeof price === 'number' && typeof quantity === 'number') {
    const each = typeof currency === 'string' ? formatAmount(price, currency) : formatNumber(price)
    return { text: `${formatNumber(quantity)} × ${each}`, of: ['price', 'quantity', 'currency'], isPoor: false }
  }
  if (type === 'search' && typeof resultsCount === 'number')
    return resultsCount === 0
      ? { text: 'No result', of: ['resultsCount'], isPoor: true }
      : {
          text: `${formatNumber(resultsCount)} ${resultsCount === 1 ? 'result' : 'results'}`,
          of: ['resultsCount'],
          isPoor: false,
        }
  return null
}

export interface OrderLine {
  name: string
  productId: string
  quantity: string
  price: string
}

/** A purchase that can be shown as an order table; null if its payload is not a valid order. */
export interface Order {
  id: string
  total: string
  items: OrderLine[]
  extras: Fact[]
}

const orderNames = new Set(['orderId', 'revenue', 'currency', 'items', 'discount', 'shipping', 'tax'])

export function orderOf(payload: Record<string, unknown>): Order | null {
  const { orderId, revenue, currency, items } = payload
  if (typeof orderId !== 'string' || typeof revenue !== 'number' || typeof currency !== 'string') return null
  if (!Array.isArray(items)) return null
  const lines: OrderLine[] = []
  for (const item of items) {
    if (typeof item !== 'object' || item === null) return null
    const { name, productId, quantity, price } = item as Record<string, unknown>
    lines.push({
      name: typeof name === 'string' ? name : '–',
      productId: typeof productId === 'string' ? productId : '',
      quantity: typeof quantity === 'number' ? formatNumber(quantity) : '–',
      price: typeof price === 'number' ? formatAmount(price, currency) : '–',
    })
  }
  const extra = (name: 'discount' | 'shipping' | 'tax', sign: 1 | -1): Fact[] => {
    const value = payload[name]
    return typeof value === 'number' && value !== 0
      ? [{ label: labelOf(name), value: formatAmount(sign * Math.abs(value), currency) }]
      : []
  }
  return {
    id: orderId,
    total: formatAmount(revenue, currency),
    items: lines,
    extras: [...extra('discount', -1), ...extra('shipping', 1), ...extra('tax', 1), ...factsOf(payload, orderNames)],
  }
}

/** What a user or session spent, by currency: "€120.00 + $30.00". */
export function moneyText(money: readonly Pick<Money, 'currency' | 'gross' | 'isMore'>[]): string {
  return money.map(formatSum).join(' + ')
}
