/**
 * Days and hours of a time zone from the runtime's own calendar, minute by minute where needed. Shares no code with the
 * server, whose results are compared with it.
 */
export interface Calendar {
  /** "YYYY-MM-DD" at an instant (epoch ms). */
  day(instant: number): string
  /** Local time "HH:MM" at an instant. */
  time(instant: number): string
  /** The start of the local hour that contains an instant, in epoch ms. */
  hour(instant: number): number
}

const MINUTE_MS = 60_000

export function calendarOf(zone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const walls = new Map<number, { day: string; hour: string; time: string; ahead: number }>()

  /** Local time during a minute, and its offset from UTC. */
  function wall(minute: number) {
    let known = walls.get(minute)
    if (known) return known
    const part = Object.fromEntries(format.formatToParts(minute).map(({ type, value }) => [type, value]))
    const day = `${part.year}-${part.month}-${part.day}`
    const shown = Date.parse(`${day}T${part.hour}:${part.minute}:00Z`)
    known = { day, hour: part.hour ?? '', time: `${part.hour}:${part.minute}`, ahead: shown - minute }
    walls.set(minute, known)
    return known
  }
  const minuteOf = (instant: number) => Math.floor(instant / MINUTE_MS) * MINUTE_MS

  return {
    day: (instant) => wall(minuteOf(instant)).day,
    time: (instant) => wall(minuteOf(instant)).time,
    hour(instant) {
      let first = minuteOf(instant)
      const { day, hour, ahead } = wall(first)
      for (;;) {
        const before = wall(first - MINUTE_MS)
        if (before.day !== day || before.hour !== hour || before.ahead !== ahead) return first
        first -= MINUTE_MS
      }
    },
  }
}

/** The day that is `days` later; earlier if negative. */
export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** The Monday on or before a day. */
export function mondayOf(day: string): string {
  return plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7))
}

/** All days from..to, both included. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  for (let day = from; day <= to; day = plusDays(day, 1)) days.push(day)
  return days
}
