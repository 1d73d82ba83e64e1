import { type EventInput, eventInput, eventLimits, isJunkIdentity, type PayloadIssue } from '../../trpc/schema/event.ts'
import type { EventType } from '../../trpc/schema/event-types.ts'
import { readInstant } from '../../trpc/schema/instant.ts'
import { readPlainEnvelope } from './envelope-guard.ts'
import { payloadIssues, soundPayload } from './payload.ts'

/** An event as the door understood it. eventId and occurredAt are null where the client left them to us. */
export interface ReadEvent {
  eventId: string | null
  userId: string
  sessionId: string
  type: EventType
  payload: Record<string, unknown> | null
  occurredAt: number | null
  issues: PayloadIssue[] | null
  /** Whether the payload fits its type and is kept a little different from how it was sent, as the issues say. */
  isMendedOnly: boolean
}

/** Why one event was refused; the others of its request are not touched by it. */
export interface Refusal {
  code:
    | 'not_an_object'
    | 'missing_field'
    | 'invalid_field'
    | 'unknown_type'
    | 'future'
    | 'invalid_payload'
    | 'too_large'
    | 'too_old'
  path: string
  details: string
}

export type EventReading = { event: ReadEvent } | { refusal: Refusal }

/**
 * Reads one posted event. `now` is the receipt's time in epoch ms, `isUtf8` whether the bytes of the request were. Pure:
 * the writer reads the same event from the log.
 */
export function readEvent(raw: unknown, now: number, isUtf8 = true): EventReading {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return refuse('not_an_object', '', `An event must be a JSON object, not ${kind(raw)}.`)
  const plain = readPlainEnvelope(raw as Record<string, unknown>)
  const envelope = plain ? { input: plain } : readEnvelope(raw)
  if ('refusal' in envelope) return envelope
  const { input } = envelope
  if (!isUtf8) {
    const broken = idFields.find((field) => input[field]?.includes('\ufffd'))
    // Mended like other texts, one id would be that of many.
    if (broken) return refuse('invalid_field', broken, `${broken} holds bytes that are not UTF-8.`)
  }
  const occurredAt = input.occurredAt == null ? null : epochMs(input.occurredAt, plain !== null)
  if (occurredAt !== null && !(occurredAt >= 0))
    return refuse('invalid_field', 'occurredAt', 'occurredAt is before 1970. Check the clock of the client.')
  if (occurredAt !== null && occurredAt > now + eventLimits.futureMs)
    return refuse(
      'future',
      'occurredAt',
      'occurredAt is more than 24 hours ahead of this server. Check the clock of the client.',
    )
  // The object as it came: zod's copy leaves a key named __proto__ out, and what it leaves out would be lost unseen.
  const sound = soundPayload((raw as { payload?: Record<string, unknown> | null }).payload ?? null, isUtf8)
  if ('fault' in sound)
    return refuse('invalid_payload', sound.fault.path, `${sound.fault.path} ${sound.fault.message}.`)
  const { payload, marks } = sound
  const issues = payloadIssues(input.type, payload, marks)
  return {
    event: {
      eventId: input.eventId ? plainId(input.eventId) : null,
      userId: input.userId,
      sessionId: input.sessionId,
      type: input.type,
      payload,
      occurredAt,
      issues,
      isMendedOnly: marks !== null && payloadIssues(input.type, payload) === null,
    },
  }
}

/** The fields around the payload as the schema reads them. */
function readEnvelope(raw: object): { input: EventInput } | { refusal: Refusal } {
  const parsed = eventInput.safeParse(withAnonymousId(raw))
  if (!parsed.success) return refuseIssues(raw, parsed.error.issues)
  for (const field of idFields) {
    const text = parsed.data[field]
    if (text != null && (text.includes('\0') || !text.isWellFormed()))
      return refuse('invalid_field', field, `${field} holds a NUL character or half of a surrogate pair.`)
  }
  return { input: parsed.data }
}

const idFields = ['eventId', 'userId', 'sessionId'] as const

/** A visitor who is not logged in may come with an anonymousId alone, or beside what clients send for nobody. */
function withAnonymousId(raw: object): object {
  return usesAnonymousId(raw as Record<string, unknown>) ? { ...raw, userId: (raw as EventFields).anonymousId } : raw
}

type EventFields = Record<string, unknown>

function usesAnonymousId({ userId, anonymousId }: EventFields): boolean {
  if (anonymousId === undefined || anonymousId === null || anonymousId === '') return false
  return userId === undefined || userId === null || userId === '' || isJunkIdentity(userId)
}

const UUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/

/** A UUID in capitals is the one in small letters (RFC 9562); every other id is taken as it is. */
function plainId(id: string): string {
  return id.length === 36 && UUID.test(id) ? id.toLowerCase() : id
}

/** Fields of an event that are read, and those of the request that may stand in a single event. */
const readFields = new Set([
  ...['eventId', 'userId', 'sessionId', 'type', 'payload', 'occurredAt'],
  ...['writeKey', 'api_key'],
])

/** The names of what an event has beside the fields that are kept, as far as there is anything in them. */
export function fieldsNotKept(raw: unknown): string[] {
  const names: string[] = []
  if (typeof raw !== 'object' || raw === null) return names
  for (const name of Object.keys(raw)) {
    if (readFields.has(name) || (raw as EventFields)[name] === null) continue
    if (name !== 'anonymousId' || !usesAnonymousId(raw as EventFields)) names.push(name)
  }
  return names
}

/**
 * What of an event is kept, as text. How large an event is, and whether two are the same, is a matter of what is kept:
 * whatever a client sends beside it costs it nothing.
 */
export function keptText(raw: unknown): string {
  if (typeof raw !== 'object' || raw === null) return JSON.stringify(raw) ?? ''
  const { eventId, userId, anonymousId, sessionId, type, occurredAt, payload } = raw as EventFields
  const who = usesAnonymousId(raw as EventFields) ? anonymousId : userId
  return JSON.stringify({ eventId, userId: who, sessionId, type, occurredAt, payload })
}

/** The guard takes times that Date reads as they are. */
function epochMs(instant: string | number, isPlain: boolean): number {
  if (isPlain) return typeof instant === 'number' ? instant : Date.parse(instant)
  const reading = readInstant(instant)
  return 'ms' in reading ? reading.ms : Number.NaN
}

interface Issue {
  path: PropertyKey[]
  message: string
}

/** By the first field that is wrong; the details tell of each, so that a client is not mended one field at a time. */
function refuseIssues(raw: object, issues: readonly Issue[]): { refusal: Refusal } {
  const firsts = issues.filter(({ path }, at) => issues.findIndex((other) => other.path[0] === path[0]) === at)
  const refusals = firsts.map((issue) => refusalOf(raw, issue))
  return { refusal: { ...refusals[0]!, details: refusals.map(({ details }) => details).join(' ') } }
}

function refusalOf(raw: object, issue: Issue): Refusal {
  const path = issue.path.join('.')
  const field = String(issue.path[0] ?? '')
  const value = (raw as Record<string, unknown>)[field]
  if (value === undefined || value === null) return { code: 'missing_field', path, details: `${field} is missing.` }
  if (field === 'type' && typeof value === 'string')
    return {
      code: 'unknown_type',
      path,
      details: `type “${value.slice(0, 64)}” is not in the catalogue (see /api-docs).`,
    }
  return { code: 'invalid_field', path, details: `${path}: ${issue.message}` }
}

function refuse(code: Refusal['code'], path: string, details: string): { refusal: Refusal } {
  return { refusal: { code, path, details } }
}

function kind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
