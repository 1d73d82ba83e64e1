import { decimalsOf } from './currencies.ts'

/**
 * A decimal amount as integer minor units, rounded half away from zero. Going through 15 significant digits keeps
 * 1.005 from becoming 100.
 */
export function toMinorUnits(amount: number, currency: string): number {
  const scaled = Number((Math.abs(amount) * 10 ** decimalsOf(currency)).toPrecision(15))
  return Math.round(scaled) * Math.sign(amount) || 0
}

/** Minor units of the largest amount that counts: more than any order, and sums of thousands of them stay exact. */
const MAX_MINOR_UNITS = 1e12
/** No currency has more than four decimals, so amounts up to this need no closer look. */
const SMALL_AMOUNT = MAX_MINOR_UNITS / 10_000

/** Whether an amount (not negative) is small enough to be counted. */
export function isCountable(amount: number, currency: string): boolean {
  return amount <= SMALL_AMOUNT || toMinorUnits(amount, currency) <= MAX_MINOR_UNITS
}

/** Minor units as a plain decimal: (1234560, "EUR") -> "12345.60", (1500, "JPY") -> "1500". Exact, by digits. */
export function plainAmount(minorUnits: number, currency: string): string {
  const decimals = decimalsOf(currency)
  const digits = BigInt(Math.abs(minorUnits))
    .toString()
    .padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const sign = minorUnits < 0 ? '-' : ''
  return decimals === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-decimals)}`
}
