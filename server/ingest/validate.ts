import { type EventInput, eventInput, eventLimits, type PayloadIssue } from '../../trpc/schema/event.ts'
import type { EventType } from '../../trpc/schema/event-types.ts'
import { readPlainEnvelope } from './envelope-guard.ts'
import { payloadFault, payloadIssues } from './payload.ts'

/** An event as the door understood it. eventId and occurredAt are null where the client left them to us. */
export interface ReadEvent {
  eventId: string | null
  userId: string
  sessionId: string
  type: EventType
  payload: Record<string, unknown> | null
  occurredAt: number | null
  issues: PayloadIssue[] | null
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
 * Reads one posted event. `now` is the receipt's time in epoch ms. Pure: the writer reads the same event from the log.
 */
export function readEvent(raw: unknown, now: number): EventReading {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return refuse('not_an_object', '', `An event must be a JSON object, not ${kind(raw)}.`)
  const plain = readPlainEnvelope(raw as Record<string, unknown>)
  const envelope = plain ? { input: plain } : readEnvelope(raw)
  if ('refusal' in envelope) return envelope
  const { input } = envelope
  const occurredAt = input.occurredAt == null ? null : epochMs(input.occurredAt)
  if (occurredAt !== null && !(occurredAt >= 0))
    return refuse('invalid_field', 'occurredAt', 'occurredAt is before 1970. Check the clock of the client.')
  if (occurredAt !== null && occurredAt > now + eventLimits.futureMs)
    return refuse(
      'future',
      'occurredAt',
      'occurredAt is more than 24 hours ahead of this server. Check the clock of the client.',
    )
  // The object as it came: zod's copy leaves a key named __proto__ out, and what it leaves out would be lost unseen.
  const payload = (raw as { payload?: Record<string, unknown> | null }).payload ?? null
  const fault = payloadFault(payload)
  if (fault) return refuse('invalid_payload', fault.path, `${fault.path} ${fault.message}.`)
  return {
    event: {
      eventId: input.eventId || null,
      userId: input.userId,
      sessionId: input.sessionId,
      type: input.type,
      payload,
      occurredAt,
      issues: payloadIssues(input.type, payload),
    },
  }
}

/** The fields around the payload as the schema reads them. */
function readEnvelope(raw: object): { input: EventInput } | { refusal: Refusal } {
  const parsed = eventInput.safeParse(withAnonymousId(raw))
  if (!parsed.success) return refuseIssue(raw, parsed.error.issues[0]!)
  for (const field of ['eventId', 'userId', 'sessionId'] as const) {
    const text = parsed.data[field]
    if (text != null && (text.includes('\0') || !text.isWellFormed()))
      return refuse('invalid_field', field, `${field} holds a NUL character or half of a surrogate pair.`)
  }
  return { input: parsed.data }
}

/** A visitor who is not logged in may come with an anonymousId alone. */
function withAnonymousId(raw: object): object {
  return 'userId' in raw && raw.userId != null && raw.userId !== ''
    ? raw
    : 'anonymousId' in raw && raw.anonymousId != null
      ? { ...raw, userId: raw.anonymousId }
      : raw
}

function epochMs(instant: string | number): number {
  return typeof instant === 'number' ? instant : Date.parse(instant)
}

function refuseIssue(raw: object, issue: { path: PropertyKey[]; message: string }): { refusal: Refusal } {
  const path = issue.path.join('.')
  const field = String(issue.path[0] ?? '')
  const value = (raw as Record<string, unknown>)[field]
  if (value === undefined || value === null) return refuse('missing_field', path, `${field} is missing.`)
  if (field === 'type' && typeof value === 'string')
    return refuse('unknown_type', path, `type “${value.slice(0, 64)}” is not in the catalogue (see /api-docs).`)
  return refuse('invalid_field', path, `${path}: ${issue.message}`)
}

function refuse(code: Refusal['code'], path: string, details: string): { refusal: Refusal } {
  return { refusal: { code, path, details } }
}

function kind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
