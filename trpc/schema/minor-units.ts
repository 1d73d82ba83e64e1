const digits = new Map<string, number>()

/** Decimals of a currency as in ISO 4217 (EUR 2, JPY 0, KWD 3); 2 for codes the runtime does not know. */
export function minorDigits(currency: string): number {
  let known = digits.get(currency)
  if (known === undefined) {
    try {
      known = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
    } catch {
      known = 2
    }
    digits.set(currency, known)
  }
  return known
}

/**
 * A decimal amount as integer minor units, rounded half away from zero. Going through 15 significant digits keeps
 * 1.005 from becoming 100.
 */
export function toMinorUnits(amount: number, currency: string): number {
  const scaled = Number((Math.abs(amount) * 10 ** minorDigits(currency)).toPrecision(15))
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
