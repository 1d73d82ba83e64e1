import { currencyCodes } from '../../trpc/schema/currencies.ts'
import { offsetName } from '../format/time.ts'
import { zoneName } from './zone-names.ts'

export interface Choice {
  value: string
  label: string
}

/** The time zones the server knows, sorted by name, labeled with their current UTC offset. */
export function zoneChoices(zones: readonly { name: string; ahead: number }[]): Choice[] {
  const aheadOf = new Map(zones.map(({ name, ahead }) => [zoneName(name), ahead]))
  return [...aheadOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, ahead]) => ({ value, label: value === 'UTC' ? value : `${value} (${offsetName(ahead)})` }))
}

const common = ['EUR', 'USD', 'GBP', 'CHF', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'CAD', 'AUD', 'JPY']

/** The common currencies, and all others sorted by code. */
export function currencyChoices(): { common: Choice[]; others: Choice[] } {
  const names = new Intl.DisplayNames('en', { type: 'currency' })
  const choice = (value: string) => ({ value, label: `${value} (${names.of(value)})` })
  const known = new Set(common)
  return {
    common: common.map(choice),
    others: currencyCodes()
      .sort()
      .filter((code) => !known.has(code))
      .map(choice),
  }
}
