import { AppError } from '../errors.ts'
import type { DecodedFrame } from '../ingest/frame.ts'
import type { Frame } from '../ingest/wal/wal.ts'
import { frameOutcome } from '../store/frame-outcome.ts'
import type { BatchOutcome, EventBatch, EventWriting, FrameOutcome } from '../store/store.ts'

/** Tries an action until it succeeds; null when the process closes meanwhile. */
export type Retry = <T>(action: () => Promise<T>, what: 'store') => Promise<T | null>

export interface Running {
  store: EventWriting
  retry: Retry
  /** Nothing else is stored meanwhile, so whatever ends the thread of the store is in this batch. */
  isAlone: boolean
}

/** The thread of the store ended with this batch and others under way: each is to be run again alone. */
export class Suspected extends Error {}

/** The same failure this many times in a row is the batch's own, not the store's. */
const MAX_SAME_FAILURES = 3

/** An answer of the store, or what it says whenever it is asked. */
type Attempt<T> = { answer: T } | { failure: string }

/** What a part of a batch is known to fail with. */
type Failed = { failure: string; isPart: boolean } | null

/**
 * Asks the store until it answers. One that is away is waited for, for ever; the same other failure several times in a
 * row is given back, and so is the end of the store's thread, if the store does nothing wrong with no events at all.
 * Null when the process closes meanwhile. Throws Suspected where the thread ended and the batch is not alone.
 */
async function attempt<T>(
  { store, retry, isAlone }: Running,
  id: string,
  action: () => Promise<T>,
  before: Failed,
): Promise<Attempt<T> | null> {
  let lastFailure = before?.failure ?? ''
  // A part that fails as the whole did needs no more proof, unless it is a single event, which is to be judged for good.
  let sameFailures = before?.isPart ? MAX_SAME_FAILURES - 1 : 0
  const result = await retry(async (): Promise<Attempt<T> | 'suspected'> => {
    try {
      return { answer: await action() }
    } catch (error) {
      const endedThread = error instanceof AppError && error.suspectsInput
      if (endedThread && !isAlone) return 'suspected'
      if (isAway(error)) {
        sameFailures = 0
        throw error
      }
      const failure = endedThread ? 'storing it ends the thread of the store' : String(error)
      sameFailures = failure === lastFailure ? sameFailures + 1 : 1
      lastFailure = failure
      if (sameFailures < MAX_SAME_FAILURES) throw error
      // A store that can not even do nothing is in trouble itself.
      if (endedThread) {
        sameFailures = 0
        await store.insertBatch({ id: `${id}/nothing`, events: [] })
      }
      return { failure }
    }
  }, 'store')
  if (result === 'suspected') throw new Suspected()
  return result
}

/** Whether the store as a whole is in trouble: it must never make an event look guilty. */
function isAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable' && !error.suspectsInput
}

/**
 * Runs a batch until the store has it. A batch that fails in the same way again and again is halved until the events
 * are found that make it fail, which come back as refused. The innocent ones are stored. Null when the process closes
 * meanwhile. Throws Suspected.
 */
export async function runBatch(
  running: Running,
  batch: EventBatch,
  failed: Failed = null,
): Promise<BatchOutcome | null> {
  if (batch.events.length === 0) return { fates: [], reasons: {}, stored: 0, duplicate: 0, refused: 0 }
  const isSingle = batch.events.length === 1
  const before = failed && { ...failed, isPart: failed.isPart && !isSingle }
  const result = await attempt(running, batch.id, () => running.store.insertBatch(batch), before)
  if (!result) return null
  if ('answer' in result) return result.answer
  if (isSingle) return { fates: ['refused'], reasons: { 0: result.failure }, stored: 0, duplicate: 0, refused: 1 }
  const middle = Math.ceil(batch.events.length / 2)
  const part = { failure: result.failure, isPart: true }
  const first = await runBatch(running, { id: `${batch.id}/0`, events: batch.events.slice(0, middle) }, part)
  if (!first) return null
  const second = await runBatch(running, { id: `${batch.id}/1`, events: batch.events.slice(middle) }, part)
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

interface LoggedBatch {
  id: string
  frames: readonly Frame[]
}

/** Reads the events of a request, when the store does not do it. */
type Decode = (frame: Frame) => Promise<DecodedFrame>

/**
 * The same for requests as they lie in the log. Where the engine has a thread that reads them, the loop that answers
 * requests reads only a request that the thread alone fails with.
 */
export async function runFrames(
  running: Running,
  batch: LoggedBatch,
  decode: Decode,
  failed: Failed = null,
): Promise<FrameOutcome | null> {
  const { insertFrames } = running.store
  if (!insertFrames) return runDecoded(running, batch, decode, failed)
  const result = await attempt(running, batch.id, () => insertFrames(batch), failed)
  if (!result) return null
  if ('answer' in result) return result.answer
  const part = { failure: result.failure, isPart: true }
  if (batch.frames.length === 1) return runDecoded(running, batch, decode, part)
  const middle = Math.ceil(batch.frames.length / 2)
  const first = await runFrames(running, { id: `${batch.id}/f0`, frames: batch.frames.slice(0, middle) }, decode, part)
  if (!first) return null
  const second = await runFrames(running, { id: `${batch.id}/f1`, frames: batch.frames.slice(middle) }, decode, part)
  return second && sumOf(first, second)
}

async function runDecoded(
  running: Running,
  { id, frames }: LoggedBatch,
  decode: Decode,
  failed: Failed,
): Promise<FrameOutcome | null> {
  const decoded: DecodedFrame = { events: [], unreadable: [] }
  for (const frame of frames) {
    const { events, unreadable } = await decode(frame)
    for (const event of events) decoded.events.push(event)
    for (const each of unreadable) decoded.unreadable.push(each)
  }
  const outcome = await runBatch(running, { id, events: decoded.events }, failed)
  return outcome && frameOutcome(decoded, outcome)
}

function sumOf(first: FrameOutcome, second: FrameOutcome): FrameOutcome {
  const types = { ...first.types }
  for (const [type, counts] of Object.entries(second.types)) {
    const sum = { ...(types[type] ?? { stored: 0, duplicate: 0, warned: 0 }) }
    for (const fate of ['stored', 'duplicate', 'warned'] as const) sum[fate] += counts[fate]
    types[type] = sum
  }
  return {
    stored: first.stored + second.stored,
    duplicate: first.duplicate + second.duplicate,
    types,
    letters: [...first.letters, ...second.letters],
    conflicts: [...first.conflicts, ...second.conflicts],
  }
}
