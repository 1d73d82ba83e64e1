import { z } from 'zod'
import { trust } from './common.ts'
import { eventTypeNames } from './event-types.ts'

/** Limits of one event at the door (docs: storefronts). Lengths in characters (code points), sizes in bytes. */
export const eventLimits = {
  eventIdLength: 128,
  userIdLength: 256,
  sessionIdLength: 256,
  eventBytes: 32 * 1024,
  nesting: 32,
  /** How many things are listed that are wrong with one payload, before the number of those beyond. */
  issues: 10,
  futureMs: 24 * 60 * 60 * 1000,
  /** How old an event may be that a browser key sends. */
  browserPastMs: 7 * 24 * 60 * 60 * 1000,
} as const

/** Identities that are never a person: broken clients send them for everybody at once. */
export const junkIdentities: ReadonlySet<string> = new Set([
  '0',
  'null',
  'undefined',
  'nan',
  'none',
  'anonymous',
  'guest',
  'true',
  'false',
  '[object object]',
  '00000000-0000-0000-0000-000000000000',
  // Nobody's page could be opened: every URL parser folds them away, percent-encoded as well.
  '.',
  '..',
])

const identity = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => !junkIdentities.has(value.toLowerCase()), 'is a placeholder, not an identity')

/** Numbers below are seconds: as milliseconds they are before March 1973, as seconds up to the year 5138. */
export const MIN_INSTANT_MS = 100_000_000_000
export const MAX_INSTANT_MS = 8_640_000_000_000_000

/** A time a client may send: ISO 8601 with an offset or Z, or epoch milliseconds. */
export const instant = z.union(
  [
    z.iso.datetime({ offset: true }),
    z
      .number()
      .int()
      .min(MIN_INSTANT_MS, 'epoch milliseconds are expected; this looks like epoch seconds: multiply it by 1000')
      .max(MAX_INSTANT_MS),
  ],
  { error: 'must be ISO 8601 with Z or an offset (2026-11-22T14:32:08Z), or epoch milliseconds' },
)

/** The shape of one posted event before its payload is held against the catalogue. */
export const eventInput = z.looseObject({
  /** Empty is as good as absent. */
  eventId: z.string().trim().max(eventLimits.eventIdLength).nullish(),
  userId: identity(eventLimits.userIdLength),
  sessionId: z.string().trim().min(1).max(eventLimits.sessionIdLength),
  type: z.enum(eventTypeNames),
  payload: z.record(z.string(), z.unknown()).nullish(),
  occurredAt: instant.nullish(),
})
export type EventInput = z.infer<typeof eventInput>

/** What is wrong with a stored payload: the path inside it and why. Such an event is left out of money figures. */
export const payloadIssue = z.object({ path: z.string(), message: z.string() })
export type PayloadIssue = z.infer<typeof payloadIssue>

/** One event as every answer shows it. Times are ISO 8601 in UTC. */
export const event = z.object({
  eventId: z.string(),
  userId: z.string(),
  sessionId: z.string(),
  type: z.string(),
  payload: z.record(z.string(), z.unknown()),
  occurredAt: z.iso.datetime(),
  receivedAt: z.iso.datetime(),
  trust,
  issues: z.array(payloadIssue).optional(),
})
export type Event = z.infer<typeof event>

/** Why an event was not taken (drop) or was taken with a remark (warning). */
export const verdict = z.object({
  result: z.enum(['ok', 'warning', 'drop']),
  code: z.string().optional(),
  path: z.string().optional(),
  details: z.string().optional(),
})
export type Verdict = z.infer<typeof verdict>
