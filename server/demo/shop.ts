import { addDays, dayOf, eachDay } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import { type EventBatch, eventSeq, type StoredEvent } from '../store/store.ts'
import { createCalendar } from './calendar.ts'
import { createRandom } from './random.ts'
import { actsOf } from './session.ts'
import { planVisits, type Visit } from './visits.ts'

const HOUR_MS = 3_600_000
const EVENTS_PER_BATCH = 2000
/** More visits are planned than asked for: leaving some out gives every day its weight and the events their number. */
const SURPLUS = 1.5

export interface DemoOptions {
  seed: number
  /** Calendar days, the last one being that of `endsAt`. */
  days: number
  users: number
  events: number
  /** The newest event is no later than this instant. */
  endsAt: number
  siteId: string
  zone: string
}

export const demoDefaults = {
  seed: 2026,
  days: 90,
  users: 5000,
  events: 200_000,
  siteId: 'default',
  zone: 'Europe/Berlin',
} as const

interface Stay {
  visit: Visit
  /** How many of the visit's events belong to the demo: those up to its end. */
  events: number
}

/**
 * The demo shop "Nordlicht Outdoor": exactly `events` events of at most `users` users, in order of time, in batches
 * ready for a store. Nothing in it depends on the machine or the clock: the same options give the same batches, so
 * seeding that was interrupted can be run again. Few events make few users (each has at least one).
 */
export function* demoBatches(options: DemoOptions): Generator<EventBatch> {
  let number = 0
  let events: StoredEvent[] = []
  for (const event of demoEvents(options)) {
    events.push(event)
    if (events.length < EVENTS_PER_BATCH) continue
    yield { id: `demo-${number++}`, events }
    events = []
  }
  if (events.length > 0) yield { id: `demo-${number}`, events }
}

/** The demo's events one by one; memory holds the plan and an hour of them. */
export function* demoEvents(options: DemoOptions): Generator<StoredEvent> {
  const stays = chooseVisits(options).sort((a, b) => a.visit.start - b.visit.start)
  let waiting: StoredEvent[] = []
  let next = 0
  while (next < stays.length || waiting.length > 0) {
    const from = Math.min(waiting[0]?.occurredAt ?? Infinity, stays[next]?.visit.start ?? Infinity)
    const until = from + HOUR_MS
    for (let stay = stays[next]; stay && stay.visit.start < until; stay = stays[++next])
      waiting.push(...eventsOf(stay, options))
    waiting.sort((a, b) => a.occurredAt - b.occurredAt || (a.eventId < b.eventId ? -1 : 1))
    const later = waiting.findIndex((event) => event.occurredAt >= until)
    yield* later === -1 ? waiting : waiting.slice(0, later)
    waiting = later === -1 ? [] : waiting.slice(later)
  }
}

/** Visits whose events are as many as asked for. People come back ever sooner until there are enough of them. */
function chooseVisits(options: DemoOptions): Stay[] {
  const { seed, endsAt, zone, days, users } = options
  const lastDay = dayOf(zone, endsAt)
  const calendar = createCalendar(eachDay(addDays(lastDay, 1 - days), lastDay), seed)
  for (let pace = 1; pace > 1e-3; pace *= 0.8) {
    const visits = planVisits({ seed, users, calendar, zone, endsAt, pace })
    const isAmple = meanEvents(visits, options) * visits.length >= options.events * SURPLUS
    const stays = isAmple || pace < 2e-3 ? fill(visits, options) : null
    if (stays) return stays
  }
  throw new AppError(
    'invalid_input',
    `${users} users do not make ${options.events} events in ${days} days: ask for more users.`,
  )
}

/** Takes visits until their events are as many as asked for; null when they are too few. */
function fill(visits: readonly Visit[], options: DemoOptions): Stay[] | null {
  const stays: Stay[] = []
  let left = options.events
  for (const visit of visits) {
    if (left === 0) break
    const events = Math.min(left, actsInTime(visit, options).length)
    stays.push({ visit, events })
    left -= events
  }
  return left === 0 ? stays : null
}

function meanEvents(visits: readonly Visit[], options: DemoOptions): number {
  const sample = visits.slice(-400)
  return sample.reduce((sum, visit) => sum + actsInTime(visit, options).length, 0) / sample.length
}

function actsInTime(visit: Visit, { seed, endsAt }: DemoOptions) {
  const acts = actsOf(visit, seed)
  return acts.at(-1)!.at <= endsAt ? acts : acts.filter((act) => act.at <= endsAt)
}

function eventsOf({ visit, events }: Stay, options: DemoOptions): StoredEvent[] {
  const { seed, siteId, endsAt } = options
  const random = createRandom(seed, 6, visit.visitorNumber, visit.number)
  const sessionId = `s_${random.hex(16)}`
  return actsInTime(visit, options)
    .slice(0, events)
    .map(({ type, payload, at }) => {
      const receivedAt = Math.min(endsAt, at + 20 + Math.round(random.logNormal(90, 0.9)))
      return {
        eventId: uuid(random.hex(32)),
        siteId,
        userId: visit.visitor.userId,
        sessionId,
        type,
        payload,
        occurredAt: at,
        receivedAt,
        seq: eventSeq(receivedAt, 0),
        trust: 'verified' as const,
        issues: null,
      }
    })
}

/** The shape of a random UUID (version 4). */
function uuid(hex: string): string {
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) % 4]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}
