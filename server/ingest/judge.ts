import { eventLimits, type Verdict } from '../../trpc/schema/event.ts'
import type { Envelope } from './dialects/veritas.ts'
import type { FrameHeader } from './frame.ts'
import { createIds } from './ids.ts'
import type { Sender } from './keys.ts'
import { type EventReading, fieldsNotKept, keptText, readEvent } from './validate.ts'

/** What the verdicts of a request depend on, beside its body. */
export interface Judging {
  siteId: string
  /** Of the sender's key. */
  kind: Sender['kind']
  schemaMode: 'warn' | 'reject'
  receivedAt: number
  /** The first instant whose events are kept. */
  keptSince: number
  /** The request's Idempotency-Key. */
  key: string | undefined
}

export interface Verdicts {
  header: Pick<FrameHeader, 'ids' | 'refused'>
  verdicts: [string, Verdict][]
  /** Of the accepted events. */
  eventIds: string[]
}

/** An event that is refused may take 60 µs. */
const EVENTS_PER_STEP = 8

/**
 * A verdict for every event; one bad event never costs the others. `mayBeTooLarge` is false when no event can be over the
 * limit, so that none need be measured. Stops now and then, to be gone on with.
 */
export function* judge(
  { events, isUtf8 }: Pick<Envelope, 'events' | 'isUtf8'>,
  mayBeTooLarge: boolean,
  { siteId, kind, schemaMode, receivedAt, keptSince, key }: Judging,
): Generator<void, Verdicts> {
  const mintId = createIds(siteId, key)
  const header: Verdicts['header'] = { ids: {}, refused: [] }
  const verdicts: [string, Verdict][] = []
  const eventIds: string[] = []
  const names = new Set<string>()
  const places = new Map<string, number>()
  for (const [index, raw] of events.entries()) {
    if (index % EVENTS_PER_STEP === EVENTS_PER_STEP - 1) yield
    let reading = mayBeTooLarge && isTooLarge(raw) ? tooLarge : readEvent(raw, receivedAt, isUtf8)
    if (isBefore(reading, keptSince)) reading = notKept(keptSince)
    else if (kind === 'pk' && isBefore(reading, receivedAt - eventLimits.browserPastMs)) reading = tooOld
    let verdict = verdictOf(reading, schemaMode, raw)
    if (verdict.result === 'drop' || 'refusal' in reading) {
      header.refused.push(index)
      verdicts.push([verdictName(clientId(raw), index, names), verdict])
      continue
    }
    let { eventId } = reading.event
    if (eventId === null) {
      eventId = mintId(index)
      header.ids[index] = eventId
    } else {
      const place = places.get(eventId)
      if (place === undefined) places.set(eventId, index)
      else if (keptText(events[place]) !== keptText(raw)) verdict = repeatedId(place)
    }
    eventIds.push(eventId)
    verdicts.push([verdictName(clientId(raw) ?? eventId, index, names), verdict])
  }
  return { header, verdicts, eventIds }
}

function verdictOf(reading: EventReading, schemaMode: Judging['schemaMode'], raw: unknown): Verdict {
  if ('refusal' in reading) return { result: 'drop', ...reading.refusal }
  const { issues, isMendedOnly } = reading.event
  const all = fieldsNotKept(raw)
  const names = all.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME).toWellFormed())
  const notKept = names.length > 0 ? { notKept: names } : {}
  const issue = issues?.[0]
  if (issue) {
    const result = schemaMode === 'reject' && !isMendedOnly ? 'drop' : 'warning'
    const code = isMendedOnly ? 'changed_value' : 'invalid_payload'
    return { result, code, path: issue.path, details: `${issue.path}: ${issue.message}`, ...notKept }
  }
  const [first] = names
  if (first === undefined) return { result: 'ok' }
  const more = all.length > MAX_NAMES ? ` and ${all.length - MAX_NAMES} more` : ''
  return {
    result: 'warning',
    code: 'unknown_field',
    path: first,
    details: `Not kept: ${names.join(', ')}${more}. What belongs to the event goes into payload.`,
    ...notKept,
  }
}

/** Of the fields that are not kept so many are named, and so much of each name. */
const MAX_NAMES = 10
const MAX_NAME = 64

function repeatedId(place: number): Verdict {
  const details = `The event at place ${place} of this request has the same eventId and is another one. Only the first is kept.`
  return { result: 'warning', code: 'repeated_id', path: 'eventId', details }
}

/** What a verdict is listed under: the id, or # and the place where another has that id, or it looks like a place. */
function verdictName(id: string | null, index: number, names: Set<string>): string {
  const name = id === null || names.has(id) || /^#\d+$/.test(id) ? `#${index}` : id
  names.add(name)
  return name
}

const tooLarge: EventReading = {
  refusal: {
    code: 'too_large',
    path: '',
    details: `What is kept of the event is larger than ${eventLimits.eventBytes} bytes. Make payload smaller.`,
  },
}

const tooOld: EventReading = {
  refusal: {
    code: 'too_old',
    path: 'occurredAt',
    details:
      'occurredAt is more than 7 days ago. Browser keys (pk_) may not write history; send it with a server key (sk_).',
  },
}

function notKept(since: number): EventReading {
  const details = `occurredAt is before ${new Date(since).toISOString().slice(0, 10)}, from which on this server keeps events.`
  return { refusal: { code: 'too_old', path: 'occurredAt', details } }
}

function isBefore(reading: EventReading, instant: number): boolean {
  if ('refusal' in reading || reading.event.occurredAt === null) return false
  return reading.event.occurredAt < instant
}

function isTooLarge(raw: unknown): boolean {
  return Buffer.byteLength(keptText(raw)) > eventLimits.eventBytes
}

/** As the event has it; empty is as good as none. */
function clientId(raw: unknown): string | null {
  if (typeof raw !== 'object' || raw === null || !('eventId' in raw)) return null
  const { eventId } = raw
  if (typeof eventId !== 'string' && typeof eventId !== 'number') return null
  return String(eventId).trim().slice(0, eventLimits.eventIdLength).toWellFormed() || null
}
