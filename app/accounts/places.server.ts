import { currencyCodes } from '../../trpc/schema/currencies.ts'
import { formatOffset } from '../format/time.ts'
import { zoneName } from './zone-names.ts'

export interface Choice {
  value: string
  label: string
}

/** Every time zone this server knows, with its offset now. */
export function zoneChoices(now: string): Choice[] {
  const names = new Set(['UTC', ...Intl.supportedValuesOf('timeZone').map(zoneName)])
  return [...names]
    .sort()
    .map((value) => ({ value, label: value === 'UTC' ? value : `${value} (${formatOffset(now, value)})` }))
}

const common = ['EUR', 'USD', 'GBP', 'CHF', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'CAD', 'AUD', 'JPY']

/** Common currencies first, then all others by code. */
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
