/**
 * Days and hours of a zone by the runtime's own calendar, worked out minute by minute where it matters. Nothing here is
 * the server's: it is what the server is compared with.
 */
export interface Calendar {
  /** "YYYY-MM-DD" of an instant. */
  day(instant: number): string
  /** "HH:MM" on the wall. */
  time(instant: number): string
  /** The first instant of the wall-clock hour that an instant lies in. */
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

  /** What the clock on the wall shows in a minute, and how far it is ahead of UTC. */
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

/** Days after a day (before it, where negative), as calendars count. */
export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** The Monday of a day's week. */
export function mondayOf(day: string): string {
  return plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7))
}

/** Every day from..to. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  for (let day = from; day <= to; day = plusDays(day, 1)) days.push(day)
  return days
}
