import { dayName, dayNumberOf, dayStart } from '../analysis/zones.ts'

const SLACK_MS = 3 * 3_600_000

/**
 * Instants that hold the whole day, and some hours of its neighbours: a clock change at midnight can make the day's
 * instants more than one stretch. `to` is exclusive.
 */
export function dayWindow(zone: string, dayNo: number): { from: number; to: number } {
  return {
    from: Math.max(0, dayStart(zone, dayName(dayNo)) - SLACK_MS),
    to: dayStart(zone, dayName(dayNo + 1)) + SLACK_MS,
  }
}

/**
 * What one user did in the window, and before it. Days and starts are worked out as the roll-ups do: a session is of
 * the day of its first instant, and only the newest day before this one matters.
 */
export class DayVisitor<SessionKey> {
  readonly #zone: string
  readonly #dayNo: number
  readonly #starts = new Map<SessionKey, number>()
  #previousDay: number
  #isActive = false

  constructor(zone: string, dayNo: number, noDay: number) {
    this.#zone = zone
    this.#dayNo = dayNo
    this.#previousDay = noDay
  }

  /** An event of the window; true when it is of the day. */
  add(session: SessionKey, occurredAt: number): boolean {
    this.#starts.set(session, Math.min(this.#starts.get(session) ?? occurredAt, occurredAt))
    const dayNo = dayNumberOf(this.#zone, occurredAt)
    if (dayNo === this.#dayNo) this.#isActive = true
    else this.addDay(dayNo)
    return dayNo === this.#dayNo
  }

  /** A session has events before the window, the last of them then. */
  addEarlier(session: SessionKey, lastAt: number): void {
    if (this.#starts.has(session)) this.#starts.set(session, Number.NEGATIVE_INFINITY)
    this.addDay(dayNumberOf(this.#zone, lastAt))
  }

  /** The user was active on that day. */
  addDay(dayNo: number): void {
    if (dayNo < this.#dayNo && dayNo > this.#previousDay) this.#previousDay = dayNo
  }

  get isActive(): boolean {
    return this.#isActive
  }

  get previousDay(): number {
    return this.#previousDay
  }

  /** Sessions that start on the day. */
  get sessions(): SessionKey[] {
    return [...this.#starts]
      .filter(([, start]) => start >= 0 && dayNumberOf(this.#zone, start) === this.#dayNo)
      .map(([session]) => session)
  }
}
