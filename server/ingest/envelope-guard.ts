import { type EventInput, eventLimits, isJunkIdentity, junkIdentities } from '../../trpc/schema/event.ts'
import { eventTypes } from '../../trpc/schema/event-types.ts'
import { MAX_INSTANT_MS, MIN_INSTANT_MS } from '../../trpc/schema/instant.ts'

const junkLengths = new Set([...junkIdentities].map((identity) => identity.length))
/** Of each month, but for the leap day: which years have it the schema knows. */
const LAST_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * The fields of an event that is plainly right, read in a tenth of the schema's time. Null says nothing: ask the schema
 * (trpc/schema/event.ts), which decides and knows why. Ids are trimmed already or this says null.
 */
export function readPlainEnvelope(raw: Record<string, unknown>): EventInput | null {
  const { eventId, userId, sessionId, type, payload, occurredAt } = raw
  if (!isPlainId(userId, eventLimits.userIdLength) || isMaybeJunk(userId)) return null
  if (!isPlainId(sessionId, eventLimits.sessionIdLength)) return null
  if (eventId !== undefined && !isPlainId(eventId, eventLimits.eventIdLength)) return null
  if (typeof type !== 'string' || !Object.hasOwn(eventTypes, type)) return null
  if (
    payload !== undefined &&
    payload !== null &&
    (typeof payload !== 'object' || Object.getPrototypeOf(payload) !== Object.prototype)
  )
    return null
  if (occurredAt !== undefined && !isPlainInstant(occurredAt)) return null
  return raw as EventInput
}

/** Printable ASCII without blanks at its ends: nothing to trim, to normalise or to refuse. */
function isPlainId(value: unknown, maxLength: number): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) return false
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f) return false
  }
  return true
}

function isMaybeJunk(value: string): boolean {
  return junkLengths.has(value.length) && isJunkIdentity(value)
}

function isPlainInstant(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && value >= MIN_INSTANT_MS && value <= MAX_INSTANT_MS
  return typeof value === 'string' && isPlainIso(value)
}

/** 2026-11-22T14:32:08Z or 2026-11-22T14:32:08.123Z, with a day that its month has in every year. */
function isPlainIso(text: string): boolean {
  if (text.length !== 20 && text.length !== 24) return false
  if (text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':') return false
  if (text[text.length - 1] !== 'Z' || (text.length === 24 && text[19] !== '.')) return false
  const month = number(text, 5, 7)
  const day = number(text, 8, 10)
  return (
    number(text, 0, 4) >= 1970 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= LAST_DAYS[month - 1]! &&
    isUpTo(text, 11, 23) &&
    isUpTo(text, 14, 59) &&
    isUpTo(text, 17, 59) &&
    (text.length === 20 || number(text, 20, 23) >= 0)
  )
}

function isUpTo(text: string, at: number, max: number): boolean {
  const value = number(text, at, at + 2)
  return value >= 0 && value <= max
}

/** The digits of a part of a text; -1 where one of them is none. */
function number(text: string, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
