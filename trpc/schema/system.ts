import { z } from 'zod'

const count = z.number().int().nonnegative()

/**
 * Where this process has every event that it took since its start:
 * received + recovered = rejected + stored + duplicate + deadLettered + waiting + lost, else imbalance is not 0.
 */
export const balance = z.object({
  received: count,
  /** Found waiting in logs of earlier or dead processes. */
  recovered: count,
  rejected: count,
  stored: count,
  duplicate: count,
  deadLettered: count,
  waiting: count,
  /** Of the duplicates, those that are not the event which has their id: a client used an eventId twice. */
  conflicts: count,
  /** Lost to damaged files of the log. */
  lost: count,
  imbalance: z.number().int(),
})
export type Balance = z.infer<typeof balance>

export const systemStatus = z.object({
  balance,
  /** Kept in the data folder until somebody replays or discards them. */
  deadLetters: count,
  /** Why accepted events are not being stored, or soon may not be, a sentence each; empty when all is well. */
  troubles: z.array(z.string()),
  ackLevel: z.enum(['fsync', 'write', 'memory']),
  version: z.string(),
})
export type SystemStatus = z.infer<typeof systemStatus>

const instant = z.iso.datetime()
const amount = z.number().nonnegative()

/** One process on the data folder. */
export const processStatus = z.object({
  host: z.string(),
  pid: count,
  role: z.enum(['all', 'ingest', 'web']),
  version: z.string(),
  startedAt: instant,
  /** When it last told of itself. */
  seenAt: instant,
  acceptedPerSecond: amount,
  waiting: count,
  accepting: z.boolean(),
  memoryBytes: amount,
  /** Share of the time in which it worked, 0 to 1. */
  busy: amount,
})
export type ProcessStatus = z.infer<typeof processStatus>

/** The state of a thing that runs once a day. */
export const copyStatus = z.object({
  /** off: it is not set up, and never ran. late: the last success is too old, or there was none. */
  state: z.enum(['works', 'late', 'off']),
  lastSuccessAt: instant.nullable(),
  /** Failures in a row, up to now. */
  failures: count,
  lastError: z.string().nullable(),
})
export type CopyStatus = z.infer<typeof copyStatus>

/** Everything that those who run this server look at; the sums are over all its processes on this machine. */
export const systemOverview = systemStatus.extend({
  checkedAt: instant,
  /** The balance holds since then: when the oldest of the processes began. */
  since: instant,
  processes: z.array(processStatus).min(1),
  acceptedPerSecond: amount,
  storedPerSecond: amount,
  /** The busiest minute of the last hour; null when nothing came. */
  peak: z.object({ perSecond: amount, at: instant }).nullable(),
  /** The last hour by whole minutes, ascending; minutes in which nothing came are there too. */
  minutes: z.array(z.object({ at: instant, accepted: count, stored: count })),
  /** What waits does so on all machines of the store; the rest of it is of this one. */
  log: z.object({ bytes: amount, limitBytes: amount, waiting: count, oldestMs: amount, accepting: z.boolean() }),
  writer: z.object({
    active: count,
    failures: count,
    /** Of the last hour; null when no batch was written. */
    p95Ms: amount.nullable(),
    batches: count,
  }),
  store: z.object({ engine: z.enum(['sqlite', 'mongo']), up: z.boolean() }),
  /** Questions to the store in the last hour. */
  questions: z.object({ count, p95Ms: amount.nullable() }),
  exports: copyStatus,
  backups: copyStatus,
})
export type SystemOverview = z.infer<typeof systemOverview>

export const deadLetter = z.object({
  id: z.string(),
  /** Where the list after it begins: `after`. */
  place: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  eventId: z.string().nullable(),
  userId: z.string().nullable(),
  type: z.string().nullable(),
  /** The event as JSON, cut after 4,000 characters. */
  text: z.string(),
})
export type DeadLetter = z.infer<typeof deadLetter>

/** Oldest first. A list may be shorter than the limit where letters are large; an empty one is the end. */
export const deadLettersInput = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(100).optional(),
})

/** Without ids, all of them. */
export const replayInput = z.object({ ids: z.array(z.string().max(64)).max(1000).optional() })
export const replayOutcome = z.object({
  stored: count,
  duplicate: count,
  refused: count,
  /** Letters that the store could not even refuse; they stay. */
  failed: count,
  /** Why one of them failed; null when none did. */
  problem: z.string().nullable(),
})
export type ReplayOutcome = z.infer<typeof replayOutcome>
export const discardInput = z.object({ ids: z.array(z.string().max(64)).min(1).max(1000) })
