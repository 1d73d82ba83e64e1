/** Calculates with calendar days "YYYY-MM-DD", independent of time zones: the server says which day today is. */
const DAY_MS = 86_400_000

/** Whether the text is a valid day in the range that the server accepts (trpc/schema/common.ts). */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '1900-01-01' || text > '9998-12-31') return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Number of days from..to, both included. */
export function countDays(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS) + 1
}

export function monthStart(day: string): string {
  return `${day.slice(0, 8)}01`
}

/** Whether it is the last day of its month. */
export function isMonthEnd(day: string): boolean {
  return addDays(day, 1).endsWith('-01')
}

/** The first day of the month that is `months` later (earlier if negative). */
export function shiftMonths(monthStart: string, months: number): string {
  return new Date(Date.UTC(Number(monthStart.slice(0, 4)), Number(monthStart.slice(5, 7)) - 1 + months, 1))
    .toISOString()
    .slice(0, 10)
}

/** The Monday on or before a day. */
export function mondayOf(day: string): string {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  return addDays(day, -((weekday + 6) % 7))
}
