import type { Money, Trust } from '../../trpc/schema/common.ts'
import { decimalsOf } from '../../trpc/schema/currencies.ts'
import { plainAmount, toMinorUnits } from '../../trpc/schema/minor-units.ts'
import { withoutTurns } from './direction.ts'
import { formatCompact, minus } from './number.ts'

/** Signs that people know; every other currency is written by its code. Ours, since those of runtimes differ. */
const signs: Readonly<Record<string, string>> = {
  ...{ AUD: 'A$', BRL: 'R$', CAD: 'CA$', CNY: 'CN¥', EUR: '€', GBP: '£', HKD: 'HK$', ILS: '₪', INR: '₹', JPY: '¥' },
  ...{ KRW: '₩', MXN: 'MX$', NZD: 'NZ$', PHP: '₱', TWD: 'NT$', USD: '$', VND: '₫', XCD: 'EC$' },
}

/** Minor units as an amount: (1234560, "EUR") -> "€12,345.60", (120000, "CHF") -> "CHF 1,200.00". */
export function formatMoney(minorUnits: number, currency: string): string {
  return written(plainAmount(minorUnits, currency), currency)
}

/** A sum of money of one currency, without what it is made of. */
export type Sum = Pick<Money, 'gross' | 'currency' | 'isMore'>

/** A sum, which says so where it is more than a number can say. */
export function formatSum({ gross, currency, isMore }: Sum): string {
  return `${isMore ? 'more than ' : ''}${formatMoney(gross, currency)}`
}

/** The same for a file: digits, or words that no spreadsheet adds up as if they were the sum. */
export function sumCell(money: readonly Sum[], currency: string): string | { digits: string } {
  const sum = money.find((sum) => sum.currency === currency)
  const digits = plainAmount(sum?.gross ?? 0, currency)
  return sum?.isMore ? `more than ${digits}` : { digits }
}

/** A decimal amount as payloads carry it: (59.4, "EUR") -> "€59.40". A code is set off by a no-break space. */
export function formatAmount(amount: number, currency: string): string {
  const minorUnits = toMinorUnits(amount, currency)
  if (Number.isSafeInteger(minorUnits)) return formatMoney(minorUnits, currency)
  // Larger than any sum: its digits are not all its own, so none after the point is shown.
  return written(Number.isFinite(amount) ? BigInt(Math.round(amount)).toString() : String(amount), currency)
}

/** A plain decimal with its sign in front and its thousands in groups. */
function written(plain: string, currency: string): string {
  const [whole = '', fraction] = plain.replace('-', '').split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const amount = fraction === undefined ? grouped : `${grouped}.${fraction}`
  return `${plain.startsWith('-') ? minus : ''}${signs[currency] ?? `${withoutTurns(currency)}\u00a0`}${amount}`
}

/** Axis label of an amount in minor units: (600000, "EUR") -> "€6k". */
export function formatMoneyAxis(minorUnits: number, currency: string): string {
  return `${signs[currency] ?? `${currency} `}${formatCompact(minorUnits / 10 ** decimalsOf(currency))}`
}

/** The shop's main currency first, then by number of orders as they come. */
export function mainFirst<Sum extends Pick<Money, 'currency'>>(money: readonly Sum[], main: string): Sum[] {
  return [...money].sort((a, b) => Number(b.currency === main) - Number(a.currency === main))
}

/** The part of each sum that servers state, or that only browsers claim. */
export function partOf(money: readonly Money[], trust: Trust): Sum[] {
  return money.map(({ currency, [trust]: { gross, isMore } }) => ({ currency, gross, ...(isMore && { isMore }) }))
}

/** Cells for a file of what servers state of a sum, and what only browsers claim. */
export function partCells(money: readonly Money[], currency: string): (string | { digits: string })[] {
  return [sumCell(partOf(money, 'verified'), currency), sumCell(partOf(money, 'claimed'), currency)]
}

/** Currencies of which browsers claim orders: their sums are not only what servers state. */
export function claimedIn(money: readonly Money[]): Set<string> {
  return new Set(money.flatMap(({ currency, claimed }) => (claimed.orders > 0 ? [currency] : [])))
}

/** How much of a sum is verified, in few words; null where all of it is. */
export function verifiedText({ currency, verified, claimed }: Money): string | null {
  if (claimed.orders === 0) return null
  return verified.orders === 0 ? 'claimed' : `${formatSum({ ...verified, currency })} verified`
}

/** Gross of a currency in minor units, 0 where there is none. */
export function grossOf(money: readonly Pick<Money, 'currency' | 'gross'>[], currency: string): number {
  return money.find((sum) => sum.currency === currency)?.gross ?? 0
}
