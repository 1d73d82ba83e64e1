import { AppError } from '../errors.ts'
import type { DecodedFrame } from '../ingest/frame.ts'
import type { Frame } from '../ingest/wal/wal.ts'
import { frameOutcome } from '../store/frame-outcome.ts'
import type { BatchOutcome, EventBatch, EventWriting, FrameOutcome, StoredEvent } from '../store/store.ts'
import { type Doubts, shapeOf } from './proofs.ts'

/** Tries an action until it succeeds; null when the process closes meanwhile. */
export type Retry = <T>(action: () => Promise<T>, what: 'store') => Promise<T | null>

export interface Running {
  store: EventWriting
  retry: Retry
  /** Nothing else is stored meanwhile, so whatever ends the thread of the store is in this batch. */
  isAlone: boolean
  doubts: Doubts
  trial: Trial
}

/** One run through a batch; the doubts are over all of them. */
export class Trial {
  readonly #isFirst: boolean
  readonly #failures = new Map<string, number>()
  #failed = 0
  #hasStored = false

  constructor(isFirst: boolean) {
    this.#isFirst = isFirst
  }

  /** Which half comes first: another one each time, so that no bad event hides for ever what could be stored behind it. */
  get leftFirst(): boolean {
    return this.#isFirst || Math.random() < 0.5
  }

  stored(): void {
    this.#hasStored = true
  }

  failed(event: StoredEvent): void {
    const shape = shapeOf(event)
    this.#failed++
    this.#failures.set(shape, (this.#failures.get(shape) ?? 0) + 1)
  }

  /** Nothing at all could be stored: no more is tried this time. */
  get isHopeless(): boolean {
    return !this.#hasStored && this.#failed >= MAX_FAILED_ALONE
  }

  /** Neither could what is like each of these. */
  isHopelessFor(events: readonly StoredEvent[], doubts: Doubts): boolean {
    if (events.some((event) => doubts.isGivenUp(event))) return false
    return (
      this.isHopeless ||
      events.every((event) => !doubts.isProven(event) && (this.#failures.get(shapeOf(event)) ?? 0) >= MAX_FAILED_ALONE)
    )
  }
}

/** So many events of a shape that fail alone, of which none can be stored, are enough of a trial. */
const MAX_FAILED_ALONE = 3

/** Events fail, and none of their shape could be stored since: that may be the store's fault. They are to be run again. */
export const UNPROVEN = Symbol('unproven')

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

type Ran<T> = T | typeof UNPROVEN | null

/** Two halves of a batch, each of which is run whatever comes of the other. */
async function runHalves<T>(
  { trial }: Running,
  first: () => Promise<Ran<T>>,
  second: () => Promise<Ran<T>>,
): Promise<Ran<[T, T]>> {
  const { leftFirst } = trial
  const one = await (leftFirst ? first() : second())
  if (one === null) return null
  const other = await (leftFirst ? second() : first())
  if (other === null) return null
  if (one === UNPROVEN || other === UNPROVEN) return UNPROVEN
  return leftFirst ? [one, other] : [other, one]
}

/**
 * Runs a batch until the store has it. A batch that fails in the same way again and again is halved until the events
 * are found that make it fail, which come back as refused where others like them are stored or they are given up. The
 * innocent ones are stored.
 * Null when the process closes meanwhile. Throws Suspected.
 */
export async function runBatch(running: Running, batch: EventBatch, failed: Failed = null): Promise<Ran<BatchOutcome>> {
  const { doubts, trial } = running
  const { events } = batch
  if (events.length === 0) return { fates: [], reasons: {}, stored: 0, duplicate: 0, refused: 0 }
  if (failed && trial.isHopelessFor(events, doubts)) return UNPROVEN
  const single = events.length === 1 ? events[0]! : null
  const isJudged = single !== null && doubts.isProven(single)
  const isGivenUp = single !== null && !isJudged && doubts.isGivenUp(single)
  const before = failed && { ...failed, isPart: failed.isPart && !isJudged }
  const result = await attempt(running, batch.id, () => running.store.insertBatch(batch), before)
  if (!result) return null
  if ('answer' in result) {
    const { answer } = result
    if (failed || answer.doubtful)
      noteStored(
        running,
        events.filter((_, index) => answer.fates[index] === 'stored'),
      )
    return answer.doubtful ? judge(running, batch, answer, answer.doubtful) : answer
  }
  if (isJudged || isGivenUp) {
    const reason = isGivenUp ? `given up: ${result.failure}` : result.failure
    return { fates: ['refused'], reasons: { 0: reason }, stored: 0, duplicate: 0, refused: 1 }
  }
  if (single) {
    doubts.add(single, result.failure)
    trial.failed(single)
    return UNPROVEN
  }
  const middle = Math.ceil(events.length / 2)
  const part = { failure: result.failure, isPart: true }
  const halves = await runHalves(
    running,
    () => runBatch(running, { id: `${batch.id}/0`, events: events.slice(0, middle) }, part),
    () => runBatch(running, { id: `${batch.id}/1`, events: events.slice(middle) }, part),
  )
  if (halves === null || halves === UNPROVEN) return halves
  const [first, second] = halves
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

/** What a database did not take of a batch whose rest it has: run again by itself, as what made a batch fail. */
async function judge(
  running: Running,
  { id, events }: EventBatch,
  answer: BatchOutcome,
  doubtful: readonly number[],
): Promise<Ran<BatchOutcome>> {
  const failure = `Error: ${answer.reasons[doubtful[0]!]}`
  const again = { id: `${id}/d`, events: doubtful.map((index) => events[index]!) }
  const outcome = await runBatch(running, again, { failure, isPart: true })
  if (outcome === null || outcome === UNPROVEN) return outcome
  const fates = [...answer.fates]
  const reasons = { ...answer.reasons }
  for (const [place, index] of doubtful.entries()) {
    fates[index] = outcome.fates[place]!
    delete reasons[index]
    if (outcome.reasons[place] !== undefined) reasons[index] = outcome.reasons[place]
  }
  return {
    fates,
    reasons,
    stored: answer.stored + outcome.stored,
    duplicate: answer.duplicate + outcome.duplicate,
    refused: answer.refused - doubtful.length + outcome.refused,
  }
}

function noteStored({ doubts, trial }: Running, events: readonly StoredEvent[]): void {
  if (events.length > 0) trial.stored()
  doubts.stored(events)
}

/** The events of requests that are certain to have been stored just now. */
export async function storedOf(
  frames: readonly Frame[],
  { types }: Pick<FrameOutcome, 'types'>,
  decode: Decode,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for (const frame of frames) for (const event of (await decode(frame)).events) events.push(event)
  const counts = new Map<string, number>()
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1)
  // Which one of several was a duplicate is not said.
  return events.filter(({ type }) => types[type]?.stored === counts.get(type))
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
): Promise<Ran<FrameOutcome>> {
  const { insertFrames } = running.store
  if (!insertFrames) return runDecoded(running, batch, decode, failed)
  if (failed && running.trial.isHopeless && !running.doubts.mayBeGivenUp()) return UNPROVEN
  const { frames } = batch
  const result = await attempt(running, batch.id, () => insertFrames(batch), failed)
  if (!result) return null
  if ('answer' in result) {
    if (failed) noteStored(running, await storedOf(frames, result.answer, decode))
    return result.answer
  }
  const part = { failure: result.failure, isPart: true }
  if (frames.length === 1) return runDecoded(running, batch, decode, part)
  const middle = Math.ceil(frames.length / 2)
  const halves = await runHalves(
    running,
    () => runFrames(running, { id: `${batch.id}/f0`, frames: frames.slice(0, middle) }, decode, part),
    () => runFrames(running, { id: `${batch.id}/f1`, frames: frames.slice(middle) }, decode, part),
  )
  return halves === null || halves === UNPROVEN ? halves : sumOf(...halves)
}

async function runDecoded(
  running: Running,
  { id, frames }: LoggedBatch,
  decode: Decode,
  failed: Failed,
): Promise<Ran<FrameOutcome>> {
  const decoded: DecodedFrame = { events: [], unreadable: [] }
  for (const frame of frames) {
    const { events, unreadable } = await decode(frame)
    for (const event of events) decoded.events.push(event)
    for (const each of unreadable) decoded.unreadable.push(each)
  }
  const outcome = await runBatch(running, { id, events: decoded.events }, failed)
  return outcome === null || outcome === UNPROVEN ? outcome : frameOutcome(decoded, outcome)
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
