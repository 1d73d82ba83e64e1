import { z } from 'zod'
import { MOST_ID_LENGTH, trust } from './common.ts'
import { eventTypeNames } from './event-types.ts'
import { readInstant } from './instant.ts'

/** Limits of one event at the door (docs: storefronts). Lengths in characters (code points), sizes in bytes. */
export const eventLimits = {
  eventIdLength: 128,
  userIdLength: MOST_ID_LENGTH,
  sessionIdLength: MOST_ID_LENGTH,
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

/** A text; a whole number is read as one, as many shops have numbers for ids. */
const id = (rules: z.ZodString) =>
  z.union([rules, z.int().transform(String).pipe(rules)], { error: 'must be a text, or a whole number below 2^53' })

const identity = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => !isJunkIdentity(value), 'is a placeholder, not an identity')

/** Also of what is no text: clients send false or 0 for nobody. */
export function isJunkIdentity(value: unknown): boolean {
  return typeof value !== 'object' && junkIdentities.has(String(value).trim().toLowerCase())
}

/** A time a client may send: trpc/schema/instant.ts. */
export const instant = z.union([z.string(), z.number()]).superRefine((value, { addIssue }) => {
  const reading = readInstant(value)
  if ('fault' in reading) addIssue({ code: 'custom', message: reading.fault })
})

/** The shape of one posted event before its payload is held against the catalogue. */
export const eventInput = z.looseObject({
  /** Empty is as good as absent. */
  eventId: id(z.string().trim().max(eventLimits.eventIdLength)).nullish(),
  userId: id(identity(eventLimits.userIdLength)),
  sessionId: id(z.string().trim().min(1).max(eventLimits.sessionIdLength)),
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
  /** On a purchase whose order counts by another purchase: whose and which, and whether that says another amount. */
  repeats: z.object({ userId: z.string(), eventId: z.string(), trust, differs: z.boolean() }).optional(),
})
export type Event = z.infer<typeof event>

/** Why an event was not taken (drop) or was taken with a remark (warning). */
export const verdict = z.object({
  result: z.enum(['ok', 'warning', 'drop']),
  code: z.string().optional(),
  path: z.string().optional(),
  details: z.string().optional(),
  /** Fields of the event that are not kept, by name. */
  notKept: z.array(z.string()).optional(),
})
export type Verdict = z.infer<typeof verdict>
