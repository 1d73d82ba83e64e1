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
  /** Lost to damaged files of the log. */
  lost: count,
  imbalance: z.number().int(),
})
export type Balance = z.infer<typeof balance>

export const systemStatus = z.object({
  balance,
  /** Kept in the data folder until somebody replays or discards them. */
  deadLetters: count,
  ackLevel: z.enum(['fsync', 'write', 'memory']),
  version: z.string(),
})
export type SystemStatus = z.infer<typeof systemStatus>

export const deadLetter = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  eventId: z.string().nullable(),
  userId: z.string().nullable(),
  type: z.string().nullable(),
})
export type DeadLetter = z.infer<typeof deadLetter>

export const deadLettersInput = z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100) })

/** Without ids, all of them. */
export const replayInput = z.object({ ids: z.array(z.string().max(64)).max(1000).optional() })
export const replayOutcome = z.object({ stored: count, duplicate: count, refused: count })
export const discardInput = z.object({ ids: z.array(z.string().max(64)).min(1).max(1000) })
