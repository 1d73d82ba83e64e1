import { type Clock, offsetOf, unpackClock } from '../../trpc/schema/clock.ts'

/**
 * Formats dates and times in the shop's zone, without Intl: its texts and zone rules differ between the runtimes of
 * server and browser, and both must render the same page.
 */
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

const clocks = new Map<string, { text: string; clock: Clock }>()

/**
 * Sets the UTC offsets used for a zone from now on, as sent by the server. The browser's own zone rules may be older or
 * newer than the server's, by which days are counted.
 */
export function learnClock({ timeZone, clock: text }: { timeZone: string; clock: string }): void {
  if (clocks.get(timeZone)?.text !== text) clocks.set(timeZone, { text, clock: unpackClock(text) })
}

/** Milliseconds to add to UTC at an instant; 0 for a zone whose clock was not learned yet. */
function aheadAt(instant: number, zone: string): number {
  const known = clocks.get(zone)
  return known ? offsetOf(known.clock, instant) : 0
}

function wallOf(iso: string, zone: string): Wall {
  const instant = Date.parse(iso)
  const wall = new Date(instant + aheadAt(instant, zone))
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
  }
}

const two = (value: number) => String(value).padStart(2, '0')

/** "14:32" */
export function formatTime(iso: string, zone: string): string {
  const { hour, minute } = wallOf(iso, zone)
  return `${two(hour)}:${two(minute)}`
}

/** "14:32", or "02:00 UTC+2" if a clock change makes this local time occur twice. */
export function formatClock(iso: string, zone: string): string {
  const instant = Date.parse(iso)
  const ahead = aheadAt(instant, zone)
  const isTwice = [-NEAR_MS, NEAR_MS].some((ms) => {
    const other = aheadAt(instant + ms, zone)
    return other !== ahead && aheadAt(instant + ahead - other, zone) === other
  })
  return isTwice ? `${formatTime(iso, zone)} ${formatOffset(iso, zone)}` : formatTime(iso, zone)
}

/** How far around an instant to look for a clock change; no current zone changes its clock by more. */
const NEAR_MS = 3 * 3_600_000

/** "14:32:08" */
export function formatSeconds(iso: string, zone: string): string {
  return `${formatTime(iso, zone)}:${two(wallOf(iso, zone).second)}`
}

/** The day of an instant in the zone: "2026-11-22". */
export function dayIn(iso: string, zone: string): string {
  const { year, month, day } = wallOf(iso, zone)
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
}

/** "2026-11-22" -> "22 Nov 2026" */
export function formatDay(day: string): string {
  return `${formatShortDay(day)} ${Number(day.slice(0, 4))}`
}

/** "22 Nov" */
export function formatShortDay(day: string): string {
  return `${Number(day.slice(8, 10))} ${months[Number(day.slice(5, 7)) - 1]}`
}

/** "Sunday" */
export function weekdayOf(day: string): string {
  return weekdays[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? ''
}

/** "22 Nov 2026, 14:32" */
export function formatMoment(iso: string, zone: string): string {
  return `${formatDay(dayIn(iso, zone))}, ${formatTime(iso, zone)}`
}

/** ISO 8601 with the zone's offset, for files: "2026-11-22T14:32:08.000+01:00". */
export function formatInstant(iso: string, zone: string): string {
  const instant = Date.parse(iso)
  // The format has whole minutes, but 19th-century offsets had seconds: round, so that text and instant still agree.
  const minutes = Math.round(aheadAt(instant, zone) / 60_000)
  const wall = new Date(instant + minutes * 60_000).toISOString().slice(0, -1)
  const size = Math.abs(minutes)
  return `${wall}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** "24 Oct – 22 Nov 2026", "28 Dec 2025 – 3 Jan 2026", "22 Nov 2026" */
export function formatRange(from: string, to: string): string {
  if (from === to) return formatDay(from)
  return from.slice(0, 4) === to.slice(0, 4)
    ? `${formatShortDay(from)} – ${formatDay(to)}`
    : `${formatDay(from)} – ${formatDay(to)}`
}

/** Whether some day of the year occurs twice in from..to, so that dates need their year. */
export function spansYears(from: string, to: string): boolean {
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4))
  return years > 1 || (years === 1 && to.slice(5) >= from.slice(5))
}

/** "2026-11-22" -> "Nov 2026" */
export function formatMonth(day: string): string {
  return `${months[Number(day.slice(5, 7)) - 1]} ${Number(day.slice(0, 4))}`
}

/** "24 Oct – 22 Nov": for narrow places, or next to the year. With years if dates would be ambiguous. */
export function formatShortRange(from: string, to: string): string {
  if (spansYears(from, to)) return formatRange(from, to)
  return from === to ? formatShortDay(from) : `${formatShortDay(from)} – ${formatShortDay(to)}`
}

/** The zone's offset at an instant: "UTC+1", "UTC+5:30", "UTC". */
export function formatOffset(iso: string, zone: string): string {
  return offsetName(Math.round(aheadAt(Date.parse(iso), zone) / 60_000))
}

/** "UTC+1", "UTC+5:30" or "UTC" from minutes ahead of UTC. */
export function offsetName(minutes: number): string {
  if (minutes === 0) return 'UTC'
  const size = Math.abs(minutes)
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${size % 60 ? `:${two(size % 60)}` : ''}`
}

/** A duration in its largest one or two units: "12 s", "4 min 12 s", "1 h 5 min", "1 day 16 h". */
export function formatDuration(ms: number, units: 1 | 2 = 2): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor((seconds % 86_400) / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const pairs: [number, string][] = [
    [days, days === 1 ? 'day' : 'days'],
    [hours, 'h'],
    [minutes, 'min'],
    [seconds % 60, 's'],
  ]
  const first = pairs.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return pairs
    .slice(first, first + units)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}
