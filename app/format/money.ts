import type { Money, Trust } from '../../trpc/schema/common.ts'
import { decimalsOf } from '../../trpc/schema/currencies.ts'
import { plainAmount, toMinorUnits } from '../../trpc/schema/minor-units.ts'
import { withoutTurns } from './direction.ts'
import { formatCompact, minus } from './number.ts'

/** Well-known currency signs; all other currencies show their code. Not from Intl, whose signs differ by runtime. */
const signs: Readonly<Record<string, string>> = {
  ...{ AUD: 'A$', BRL: 'R$', CAD: 'CA$', CNY: 'CN¥', EUR: '€', GBP: '£', HKD: 'HK$', ILS: '₪', INR: '₹', JPY: '¥' },
  ...{ KRW: '₩', MXN: 'MX$', NZD: 'NZ$', PHP: '₱', TWD: 'NT$', USD: '$', VND: '₫', XCD: 'EC$' },
}

/** An amount in minor units (cents) as text: (1234560, "EUR") -> "€12,345.60", (120000, "CHF") -> "CHF 1,200.00". */
export function formatMoney(minorUnits: number, currency: string): string {
  return written(plainAmount(minorUnits, currency), currency)
}

/** An amount of money in one currency, without its verified and claimed parts. */
export type Sum = Pick<Money, 'gross' | 'currency' | 'isMore'>

/** A sum as text, "more than ..." if it exceeds the range of a number. */
export function formatSum({ gross, currency, isMore }: Sum): string {
  return `${isMore ? 'more than ' : ''}${formatMoney(gross, currency)}`
}

/** A sum as a CSV cell: digits, or "more than ..." if it is too large, which spreadsheets do not add up. */
export function sumCell(money: readonly Sum[], currency: string): string | { digits: string } {
  const sum = money.find((sum) => sum.currency === currency)
  const digits = plainAmount(sum?.gross ?? 0, currency)
  return sum?.isMore ? `more than ${digits}` : { digits }
}

/** A decimal amount from a payload: (59.4, "EUR") -> "€59.40". A no-break space follows a currency code. */
export function formatAmount(amount: number, currency: string): string {
  const minorUnits = toMinorUnits(amount, currency)
  if (Number.isSafeInteger(minorUnits)) return formatMoney(minorUnits, currency)
  // Beyond the safe integers a number's last digits are inexact, so show no decimals.
  return written(Number.isFinite(amount) ? BigInt(Math.round(amount)).toString() : String(amount), currency)
}

/** Adds the currency, the minus sign in front and thousands separators to a plain decimal. */
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

/** The shop's main currency first; the others keep their order (by number of orders). */
export function mainFirst<Sum extends Pick<Money, 'currency'>>(money: readonly Sum[], main: string): Sum[] {
  return [...money].sort((a, b) => Number(b.currency === main) - Number(a.currency === main))
}

/** The verified part of each sum (stated with a server key), or the part that only browsers claim. */
export function partOf(money: readonly Money[], trust: Trust): Sum[] {
  return money.map(({ currency, [trust]: { gross, isMore } }) => ({ currency, gross, ...(isMore && { isMore }) }))
}

/** Two CSV cells: the verified part of a sum and the part that only browsers claim. */
export function partCells(money: readonly Money[], currency: string): (string | { digits: string })[] {
  return [sumCell(partOf(money, 'verified'), currency), sumCell(partOf(money, 'claimed'), currency)]
}

/** The currencies in which browsers claim orders, so that their sums are not fully verified. */
export function claimedIn(money: readonly Money[]): Set<string> {
  return new Set(money.flatMap(({ currency, claimed }) => (claimed.orders > 0 ? [currency] : [])))
}

/** The verified part of a sum as short text; null if all of it is verified. */
export function verifiedText({ currency, verified, claimed }: Money): string | null {
  if (claimed.orders === 0) return null
  return verified.orders === 0 ? 'claimed' : `${formatSum({ ...verified, currency })} verified`
}

/** Gross revenue in a currency, in minor units; 0 if there is none. */
export function grossOf(money: readonly Pick<Money, 'currency' | 'gross'>[], currency: string): number {
  return money.find((sum) => sum.currency === currency)?.gross ?? 0
}
