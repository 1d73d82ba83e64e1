import { z } from 'zod'
import { askedDay, cursorInput, freshness, idInput, money, site, siteParam, sortOrder } from './common.ts'
import { event } from './event.ts'
import { eventTypeNames } from './event-types.ts'

const count = z.number().int().nonnegative()
/** A day of the site's zone, or an instant in ISO 8601. As `to`, a day includes its last millisecond. */
const bound = z.union([askedDay, z.iso.datetime({ offset: true })], {
  error: 'must be a day from 1900-01-01 to 9998-12-31, or an ISO 8601 instant',
})

export const journeyInput = z.object({
  ...siteParam,
  userId: idInput,
  from: bound.optional(),
  to: bound.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  order: sortOrder.default('desc'),
  type: z.enum(eventTypeNames).optional(),
  sessionId: idInput.optional(),
  cursor: cursorInput,
})
export type JourneyInput = z.input<typeof journeyInput>

/** A (user, sessionId) over the whole history. number counts from 1 in order of start. */
export const session = z.object({
  sessionId: z.string(),
  number: count,
  start: z.iso.datetime(),
  end: z.iso.datetime(),
  events: count,
  orders: count,
  money: z.array(money),
})
export type Session = z.infer<typeof session>

/** count is the number of events in this answer, fewer than asked for when they are large; nextCursor is null on the last page. */
export const journey = z.object({
  userId: z.string(),
  count,
  events: z.array(event),
  nextCursor: z.string().nullable(),
  /** The whole totals of every session that occurs in events. */
  sessions: z.array(session),
  site,
  freshness,
})
export type Journey = z.infer<typeof journey>

export const sessionsInput = z.object({
  ...siteParam,
  userId: idInput,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: cursorInput,
})
/** Newest start first. */
export const sessionsList = z.object({
  userId: z.string(),
  totalSessions: count,
  sessions: z.array(session),
  nextCursor: z.string().nullable(),
  freshness,
})
export type SessionsList = z.infer<typeof sessionsList>
