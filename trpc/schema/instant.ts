/** Numbers below are seconds: as milliseconds they are before March 1973, as seconds up to the year 5138. */
export const MIN_INSTANT_MS = 100_000_000_000
export const MAX_INSTANT_MS = 8_640_000_000_000_000

/** Epoch milliseconds, or why a value is no time. */
export type InstantReading = { ms: number } | { fault: string }

const EXPECTED = 'must be ISO 8601 with Z or an offset (2026-11-22T14:32:08Z), or epoch milliseconds'

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,30}))?)?)?(?: ?([Zz]|[+-]\d{2}(?::?\d{2})?))?$/

/**
 * The time a client sent. ISO 8601 and RFC 3339 as languages write them: a small t or z, a blank for the T or before the
 * offset, no seconds, any number of decimals, offsets as +0100 or +01; or epoch milliseconds, as a text too. Fractions of
 * a millisecond are left out.
 */
export function readInstant(value: string | number): InstantReading {
  if (typeof value === 'number') return ofNumber(value)
  const text = value.trim()
  if (/^-?\d+([.,]\d*)?$/.test(text)) return ofNumber(Number(text.replace(',', '.')))
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone] = iso.exec(text) ?? []
  if (!year) return { fault: EXPECTED }
  if (hour === undefined) return { fault: `names a day and no time; it ${EXPECTED}` }
  if (zone === undefined) return { fault: 'has no time zone: add Z for UTC, or an offset such as +01:00' }
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as Six
  const date = new Date(0)
  date.setUTCFullYear(y, mo - 1, d)
  const isOfCalendar = mo >= 1 && mo <= 12 && date.getUTCMonth() === mo - 1 && d >= 1
  // A leap second is read as the second after it.
  const isOfDay = h <= 23 && mi <= 59 && (s <= 59 || (s === 60 && mi === 59))
  const offset = offsetMinutes(zone)
  if (!isOfCalendar || !isOfDay || offset === null) return { fault: `is a time that no clock shows; it ${EXPECTED}` }
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
  return { ms: date.getTime() + ((h * 60 + mi - offset) * 60 + s) * 1000 + ms }
}

type Six = [number, number, number, number, number, number]

function ofNumber(value: number): InstantReading {
  if (!(value >= -MAX_INSTANT_MS && value <= MAX_INSTANT_MS)) return { fault: EXPECTED }
  if (value < MIN_INSTANT_MS)
    return { fault: 'epoch milliseconds are expected; this looks like epoch seconds: multiply it by 1000' }
  return { ms: Math.floor(value) }
}

/** Null for one that no zone has. */
function offsetMinutes(zone: string): number | null {
  if (zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return null
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}
