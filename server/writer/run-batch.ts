import { AppError } from '../errors.ts'
import type { BatchOutcome, EventBatch, EventWriting } from '../store/store.ts'

/** Tries an action until it succeeds; null when the process closes meanwhile. */
export type Retry = <T>(action: () => Promise<T>, what: string) => Promise<T | null>

/** The same failure this many times in a row is the batch's own, not the store's. */
const MAX_SAME_FAILURES = 3

/** An answer of the store, or what it says whenever it is asked. */
type Attempt<T> = { answer: T } | { failure: string }

/**
 * Asks the store until it answers. One that is away is waited for, for ever; the same other failure several times in a
 * row is given back. Null when the process closes meanwhile.
 */
export function attempt<T>(
  action: () => Promise<T>,
  retry: Retry,
  { lastFailure = '', sameFailures = 0 } = {},
): Promise<Attempt<T> | null> {
  return retry(async () => {
    try {
      return { answer: await action() }
    } catch (error) {
      if (isAway(error)) {
        sameFailures = 0
        throw error
      }
      const failure = String(error)
      sameFailures = failure === lastFailure ? sameFailures + 1 : 1
      lastFailure = failure
      if (sameFailures >= MAX_SAME_FAILURES) return { failure }
      throw error
    }
  }, 'store')
}

/**
 * Runs a batch until the store has it. A batch that fails in the same way again and again is halved until the events
 * are found that make it fail, which come back as refused. The innocent ones are stored. Null when the process closes
 * meanwhile.
 */
export async function runBatch(
  store: Pick<EventWriting, 'insertBatch'>,
  batch: EventBatch,
  retry: Retry,
  failureOfWhole = '',
): Promise<BatchOutcome | null> {
  if (batch.events.length === 0) return { fates: [], reasons: {}, stored: 0, duplicate: 0, refused: 0 }
  const result = await attempt(() => store.insertBatch(batch), retry, {
    lastFailure: failureOfWhole,
    // A part that fails as the whole did needs no more proof, unless it is a single event, which is to be judged for good.
    sameFailures: failureOfWhole !== '' && batch.events.length > 1 ? MAX_SAME_FAILURES - 1 : 0,
  })
  if (!result) return null
  if ('answer' in result) return result.answer
  if (batch.events.length === 1)
    return { fates: ['refused'], reasons: { 0: result.failure }, stored: 0, duplicate: 0, refused: 1 }
  return runHalves(store, batch, retry, result.failure)
}

/** Whether the store as a whole is in trouble: it must never make an event look guilty. */
function isAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}

async function runHalves(
  store: Pick<EventWriting, 'insertBatch'>,
  batch: EventBatch,
  retry: Retry,
  failure: string,
): Promise<BatchOutcome | null> {
  const middle = Math.ceil(batch.events.length / 2)
  const first = await runBatch(store, { id: `${batch.id}/0`, events: batch.events.slice(0, middle) }, retry, failure)
  if (!first) return null
  const second = await runBatch(store, { id: `${batch.id}/1`, events: batch.events.slice(middle) }, retry, failure)
  if (!second) return null
  const reasons = { ...first.reasons }
  for (const [index, reason] of Object.entries(second.reasons)) reasons[Number(index) + middle] = reason
  return {
    fates: [...first.fates, ...second.fates],
    reasons,
    stored: first.stored + second.stored,
    duplicate: first.duplicate + second.duplicate,
    refused: first.refused + second.refused,
  }
}
