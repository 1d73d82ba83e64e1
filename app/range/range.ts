import type { RangeUnit } from '../../trpc/schema/stats.ts'
import { formatRange } from '../format/time.ts'
import { addDays, countDays, isDay, isMonthEnd, mondayOf, monthStart, shiftMonths } from './days.ts'

/** The settings of a dashboard, read from its address: ?range or ?from&to, ?compare, ?interval, ?currency. */
export interface View {
  preset: PresetName | null
  /** First and last day; both null for the whole history, whose first day only the store knows. */
  from: string | null
  to: string | null
  compare: Compare
  interval: Interval
  /** The unit of the preset's period for comparisons; null to derive it from the days. */
  by: RangeUnit | null
  /** For the reader: why the address could not be used; null if it could. */
  notice: string | null
}

export const presets = {
  today: { label: 'Today', by: 'day', days: (today: string) => [today, today] },
  yesterday: { label: 'Yesterday', by: 'day', days: (today: string) => [addDays(today, -1), addDays(today, -1)] },
  '7d': { label: 'Last 7 days', by: 'day', days: (today: string) => [addDays(today, -6), today] },
  '30d': { label: 'Last 30 days', by: 'day', days: (today: string) => [addDays(today, -29), today] },
  '90d': { label: 'Last 90 days', by: 'day', days: (today: string) => [addDays(today, -89), today] },
  week: { label: 'This week', by: 'week', days: (today: string) => [mondayOf(today), today] },
  month: { label: 'This month', by: 'month', days: (today: string) => [monthStart(today), today] },
  'last-month': {
    label: 'Last month',
    by: 'month',
    days: (today: string) => {
      const last = addDays(monthStart(today), -1)
      return [monthStart(last), last]
    },
  },
  all: { label: 'All time', by: null, days: () => [null, null] },
} as const satisfies Record<
  string,
  { label: string; by: RangeUnit | null; days: (today: string) => readonly [string | null, string | null] }
>

export type PresetName = keyof typeof presets
export const presetNames = Object.keys(presets) as PresetName[]

export const compares = {
  previous: 'Previous period',
  year: 'Same period last year',
  none: 'No comparison',
} as const
export type Compare = keyof typeof compares

export type Interval = 'hour' | 'day' | 'week'
/** Maximum length of a period in days: the server refuses longer ones, and a page could not draw them. */
export const maxDays = 3660
/** Maximum length of a period in days for each interval. */
export const longestOf: Record<Interval, number> = { hour: 31, day: 732, week: maxDays }

export function readView(params: URLSearchParams, today: string): View {
  const { preset, from, to, notice } = readDays(params, today)
  const compare = params.get('compare')
  const days = from && to ? countDays(from, to) : null
  return {
    preset,
    from,
    to,
    compare: compare !== null && Object.hasOwn(compares, compare) ? (compare as Compare) : 'previous',
    interval: readInterval(params.get('interval'), days),
    by: preset && presets[preset].by,
    notice,
  }
}

/**
 * From the first day with events to today, or to the last day with events if a fast clock has sent events from the
 * future. Cut to the last maxDays days.
 */
export function historyDays(
  { firstDay, lastDay }: { firstDay: string | null; lastDay: string | null },
  today: string,
): { from: string; to: string; tooLong: boolean } {
  const to = lastDay !== null && lastDay > today ? lastDay : today
  const first = firstDay !== null && firstDay < today ? firstDay : today
  const earliest = addDays(to, 1 - maxDays)
  const tooLong = first < earliest
  return { from: tooLong ? earliest : first, to, tooLong }
}

/** Ends the notice about an address that cannot be used. */
export const instead = 'These are the last 30 days.'

function readDays(params: URLSearchParams, today: string): Pick<View, 'preset' | 'from' | 'to' | 'notice'> {
  const preset = params.get('range')
  const from = params.get('from')
  const to = params.get('to')
  if (preset !== null && Object.hasOwn(presets, preset)) return ofPreset(preset as PresetName, today, null)
  if (preset !== null) return ofPreset('30d', today, `There is no period “${preset.slice(0, 40)}”. ${instead}`)
  if (!from && !to) return ofPreset('30d', today, null)
  const first = from || to || today
  const last = to || today
  for (const day of [first, last]) {
    if (!isDay(day)) return ofPreset('30d', today, `“${day.slice(0, 40)}” is not a day such as ${today}. ${instead}`)
  }
  if (first > last) return ofPreset('30d', today, `The period ends (${last}) before it begins (${first}). ${instead}`)
  if (countDays(first, last) > maxDays)
    return ofPreset(
      '30d',
      today,
      `A period may have at most ${maxDays} days; ${formatRange(first, last)} has more. ${instead}`,
    )
  return { preset: null, from: first, to: last, notice: null }
}

function ofPreset(preset: PresetName, today: string, notice: string | null) {
  const [from, to] = presets[preset].days(today)
  return { preset, from, to, notice }
}

/** The interval asked for, if allowed; otherwise hours for up to 2 days, weeks for over 184 days, days in between. */
export function readInterval(asked: string | null, days: number | null): Interval {
  if (asked === 'week') return asked
  if ((asked === 'hour' || asked === 'day') && days !== null && days <= longestOf[asked]) return asked
  if (days === null || days > 184) return 'week'
  return days <= 2 ? 'hour' : 'day'
}

/** The query string with some parameters changed; null removes one. */
export function withParams(search: string, changes: Record<string, string | null>): string {
  const params = new URLSearchParams(search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) params.delete(name)
    else params.set(name, value)
  }
  const text = params.toString()
  return text ? `?${text}` : '?'
}

/**
 * The period before (-1) or after (1): the same number of whole months if it consists of whole months (the last may
 * end today), otherwise the same number of days. Null if it would start after today.
 */
export function shiftedDays(from: string, to: string, by: -1 | 1, today: string): { from: string; to: string } | null {
  const isMonths = from === monthStart(from) && from !== to && (isMonthEnd(to) || to === today)
  const shifted = isMonths ? shiftedMonths(from, to, by) : shiftedBy(from, to, countDays(from, to) * by)
  return shifted.from > today ? null : shifted
}

function shiftedBy(from: string, to: string, days: number) {
  return { from: addDays(from, days), to: addDays(to, days) }
}

function shiftedMonths(from: string, to: string, by: -1 | 1) {
  const first = shiftMonths(monthStart(to), 1)
  const months =
    Number(first.slice(0, 4)) * 12 +
    Number(first.slice(5, 7)) -
    Number(from.slice(0, 4)) * 12 -
    Number(from.slice(5, 7))
  return { from: shiftMonths(from, by * months), to: addDays(shiftMonths(first, by * months), -1) }
}
