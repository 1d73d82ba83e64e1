/** Formats numbers for pages. One fixed locale, so that server and browser render the same text. */
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export const unknown = '–'
export const minus = '−'

/** 1234567 -> "1,234,567" */
export function formatCount(value: number): string {
  return grouped.format(value).replace('-', minus)
}

/** A number from a payload, with at most six decimals: 0.5 -> "0.5", 1234.5 -> "1,234.5". */
export function formatNumber(value: number): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 }).format(value).replace('-', minus)
}

/** 13.56 -> "13.6"; null (unknown) -> "–". */
export function formatDecimal(value: number | null, decimals = 1): string {
  if (value === null) return unknown
  return new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    .format(value)
    .replace('-', minus)
}

/** A share 0..1 as a percentage: 0.547 -> "54.7%"; null (unknown) -> "–". */
export function formatShare(share: number | null, decimals = 1): string {
  return share === null ? unknown : `${formatDecimal(share * 100, decimals)}%`
}

/** Bytes in kB, MB or GB: 512 -> "512 B", 1310000 -> "1.3 MB". */
export function formatBytes(bytes: number): string {
  for (const [unit, name] of [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (bytes >= unit) return `${formatDecimal(bytes / unit, bytes >= 100 * unit ? 0 : 1)} ${name}`
  }
  return `${formatCount(bytes)} B`
}

/** Axis labels: 15000 -> "15k", 1200000 -> "1.2M". */
export function formatCompact(value: number): string {
  const size = Math.abs(value)
  for (const [unit, name] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size >= unit) return `${formatNumber(Math.round((value / unit) * 100) / 100)}${name}`
  }
  return formatNumber(value)
}

/** How a figure changed: the direction, and the size as text without a sign. Null where nothing can be compared. */
export interface Change {
  direction: 'up' | 'down' | 'same'
  text: string
  /** True if the change is larger than the text says, which is capped. */
  isMore?: true
}

/** Changes are shown up to this percentage: beyond it, the size only reflects how small the previous value was. */
const MAX_PERCENT = 999

/** The change in percent of the previous value; null if that is 0 or either value is unknown. */
export function changeOf(now: number | null, before: number | null): Change | null {
  if (now === null || before === null || before === 0) return null
  const moved = rounded(((now - before) * 1000) / before) / 10
  if (Math.abs(moved) <= MAX_PERCENT) return change(moved, (size) => `${formatDecimal(size)}%`)
  return { ...change(moved, () => `over ${MAX_PERCENT}%`), isMore: true }
}

/** The difference of two shares (0..1) in percentage points; null if either is unknown. */
export function pointsChange(now: number | null, before: number | null): Change | null {
  if (now === null || before === null) return null
  return change(rounded((now - before) * 10_000) / 100, (size) => `${formatDecimal(size, 2)} pp`)
}

/** Rounds halves away from zero, so that a rise and a fall of the same size read the same. */
function rounded(value: number): number {
  // Rounded to 12 digits first, so that 2.4999999999999996, meant as 2.5, counts as a half.
  return Math.sign(value) * Math.round(Number(Math.abs(value).toPrecision(12)))
}

function change(moved: number, text: (size: number) => string): Change {
  const direction = moved > 0 ? 'up' : moved < 0 ? 'down' : 'same'
  return { direction, text: text(Math.abs(moved)) }
}

/** "+21.4%", "−1.9%", "0.0%"; "–" if unknown. */
export function signedChange(value: Change | null): string {
  if (!value) return unknown
  const sign = { up: '+', down: minus, same: '' }[value.direction]
  return value.isMore ? value.text.replace(' ', ` ${sign}`) : `${sign}${value.text}`
}

/** "1 event", "2 events" */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
