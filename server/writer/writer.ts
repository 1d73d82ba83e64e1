import { setTimeout as sleep } from 'node:timers/promises'
import type { Freshness } from '../../trpc/schema/common.ts'
import { decodeFrame } from '../ingest/frame.ts'
import type { Frame, Wal, WalBatch } from '../ingest/wal/wal.ts'
import type { EventWriting, FrameOutcome } from '../store/store.ts'
import { countBatch, type Telemetry } from '../telemetry/telemetry.ts'
import { createTurns } from '../turns.ts'
import { backoffMs } from './backoff.ts'
import type { Conflicts } from './conflicts.ts'
import type { DeadLetters } from './dead-letters.ts'
import { freshnessOf } from './freshness.ts'
import { createGate } from './gate.ts'
import { type GivenUp, nothingGivenUp } from './given-up.ts'
import { createProgress, type Work } from './progress.ts'
import { createProofs, type Doubted, type Doubts } from './proofs.ts'
import { runFrames, Suspected, storedOf, Trial, UNPROVEN } from './run-batch.ts'

export interface WriterSettings {
  /** A batch is flushed when this many events wait … */
  events: number
  /** … or when the oldest has waited this long. */
  intervalMs: number
  /** Batches on their way to the store at once. */
  concurrency: number
  /** Wait after the first failure; it doubles with each. */
  retryMs?: number
}

export interface Writer {
  /** To which moment the store holds everything accepted, and how many accepted events it does not hold yet. */
  freshness(): Freshness
  /** Why accepted events are not being stored, a sentence each; empty while they are. */
  troubles(): string[]
  /** Events that fail in the store like all others of their type and month, and wait. */
  doubted(): Doubted[]
  /** Stores all that waits; false when the deadline came first (what is left stays in the log). */
  drain(timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

/** Bounded, since a batch is decoded and packed on the loop that answers requests. */
const MAX_BATCH_BYTES = 2 * 1024 * 1024
/** A backlog of more than this many batches is drained in batches as much larger. */
const BACKLOG_BATCHES = 4
/** After a log that had nothing to hand out. */
const EMPTY_MS = 100
/** How soon it is seen that events are given up. */
const LOOK_MS = 1000
/** Of those that hold up no others; each holds its requests meanwhile. */
const MAX_ASIDE = 20

/** Takes batches from the log to the store. A batch is tried under the same id until the store has it. */
export function createWriter(parts: {
  wal: Wal
  store: EventWriting
  deadLetters: DeadLetters
  conflicts: Pick<Conflicts, 'add'>
  givenUp?: GivenUp
  telemetry: Telemetry
  settings: WriterSettings
  now: () => number
}): Writer {
  const { wal, store, settings, telemetry, givenUp = nothingGivenUp, now } = parts
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  const gate = createGate()
  const progress = createProgress(now)
  const proofs = createProofs(givenUp)
  let timer: NodeJS.Timeout | null = null
  let taking = false
  /** Batches whose letters are being written, or that wait for a proof of whose fault it is. */
  let aside = 0
  let draining = false

  /** Those that are set aside hold up no others, as long as they are not too many. */
  function isBusy(): boolean {
    return running.size - Math.min(aside, MAX_ASIDE) >= settings.concurrency
  }

  async function setAside<T>(work: () => Promise<T>): Promise<T> {
    aside++
    schedule()
    try {
      return await work()
    } finally {
      aside--
    }
  }

  function schedule(): void {
    if (taking || isBusy() || closing.signal.aborted) return
    const { events, oldestAt } = wal.pending()
    if (oldestAt === null) return
    const dueInMs = oldestAt + settings.intervalMs - now()
    // Due later than the interval: it comes from before the clock was set back, and must not wait for that time again.
    const clockWasSetBack = dueInMs > settings.intervalMs
    if (draining || events >= settings.events || dueInMs <= 0 || clockWasSetBack) return void take()
    // Armed once for the oldest event: later events must not push it back, or a steady trickle would never be stored.
    timer ??= setTimeout(() => {
      timer = null
      schedule()
    }, dueInMs)
  }

  async function take(): Promise<void> {
    taking = true
    let batch: WalBatch | null = null
    try {
      batch = await retry(() => wal.next({ events: batchEvents(), bytes: MAX_BATCH_BYTES }), 'log')
      if (batch) {
        telemetry.counters.activeFlushes++
        const run = flush(batch).finally(() => {
          telemetry.counters.activeFlushes--
          running.delete(run)
          schedule()
        })
        running.add(run)
      }
    } finally {
      taking = false
    }
    if (batch || closing.signal.aborted) return schedule()
    // Nothing to be had of what is said to wait: asked again at once, the loop would turn for nobody else.
    timer ??= setTimeout(() => {
      timer = null
      schedule()
    }, EMPTY_MS)
  }

  /** Large batches share pages of the store, so a backlog drains twice as fast in them. */
  function batchEvents(): number {
    return wal.pending().events > BACKLOG_BATCHES * settings.events
      ? BACKLOG_BATCHES * settings.events
      : settings.events
  }

  async function flush(batch: WalBatch): Promise<void> {
    const doubts = proofs.begin()
    try {
      await flushWith(batch, doubts)
    } finally {
      doubts.end()
    }
  }

  async function flushWith(batch: WalBatch, doubts: Doubts): Promise<void> {
    const startedAt = performance.now()
    const outcome = await insert(batch, doubts)
    if (!outcome) return
    const letters = outcome.letters.map((letter) => ({ at: now(), ...letter }))
    if (letters.length > 0) {
      telemetry.log.error({ letters: letters.length, reason: letters[0]?.reason }, 'events became dead letters')
      const areKept = await setAside(() => retry(() => parts.deadLetters.add(letters).then(() => true), 'dead letters'))
      if (!areKept) return
    }
    if (outcome.conflicts.length > 0) await parts.conflicts.add(outcome.conflicts, now())
    progress.stored()
    // In one turn with the ack, so that the counters balance at every moment anybody can look.
    countBatch(telemetry, { ...outcome, letters, frames: batch.frames, tookMs: performance.now() - startedAt }, now())
    await wal.ack(batch).catch((error: unknown) => {
      // The store has it: the log will hand the batch out once more after a restart, which changes nothing.
      telemetry.log.warn({ err: error }, 'the log could not note that a batch is stored')
    })
  }

  const decodeOf = () => {
    const turns = createTurns()
    return (frame: Frame) => decodeFrame(frame, turns)
  }

  /**
   * Events that fail wait until others like them are stored, since only then they are at fault and not the store, or until
   * they are given up. Null when this writer is closed meanwhile.
   */
  async function insert(batch: WalBatch, doubts: Doubts): Promise<FrameOutcome | null> {
    const first = await tryOnce(batch, doubts, true)
    const outcome = first === UNPROVEN ? await setAside(() => insertDoubted(batch, doubts)) : first
    if (outcome && proofs.areWanted(Object.keys(outcome.types)))
      proofs.stored(await storedOf(batch.frames, outcome, decodeOf()))
    return outcome
  }

  async function insertDoubted(batch: WalBatch, doubts: Doubts): Promise<FrameOutcome | null> {
    const done = progress.begin('doubted', () => doubts.types())
    try {
      for (let tries = 1; ; tries++) {
        done.failed()
        if (!doubts.takeNews()) {
          const waitMs = backoffMs(tries, settings.retryMs ?? 100)
          telemetry.log.error({ batch: batch.id, waitMs }, 'events fail in the store, and so do all others like them')
          await givenUpOrLater(waitMs)
        }
        if (closing.signal.aborted) return null
        const outcome = await tryOnce(batch, doubts, false)
        if (outcome !== UNPROVEN) return outcome
      }
    } finally {
      done.ended()
    }
  }

  /** Resolves after that time, or as soon as something is given up. */
  async function givenUpOrLater(waitMs: number): Promise<void> {
    const before = await givenUp.look()
    for (let left = waitMs; left > 0 && !closing.signal.aborted; left -= LOOK_MS) {
      await sleep(Math.min(left, LOOK_MS), undefined, { signal: closing.signal }).catch(() => {})
      if ((await givenUp.look()) !== before) return
    }
  }

  /** A batch under which the thread of the store ended is run again alone, so that no other is taken for the cause. */
  async function tryOnce(batch: WalBatch, doubts: Doubts, isFirst: boolean) {
    const run = (isAlone: boolean) =>
      runFrames({ store, retry, isAlone, doubts, trial: new Trial(isFirst) }, batch, decodeOf())
    try {
      return await gate.together(() => run(false))
    } catch (error) {
      if (!(error instanceof Suspected)) throw error
      telemetry.log.warn({ batch: batch.id }, 'the thread of the store ended, what it worked on is tried again alone')
      return gate.alone(() => run(true))
    }
  }

  /** Tries for ever: the store being away is no reason to lose anything. Null when this writer is closed meanwhile. */
  async function retry<T>(action: () => Promise<T>, what: Exclude<Work, 'doubted'>): Promise<T | null> {
    const done = progress.begin(what)
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await action()
        } catch (error) {
          telemetry.counters.flushFailures++
          done.failed()
          const waitMs = backoffMs(tries, settings.retryMs ?? 100)
          telemetry.log.warn({ err: error, tries, waitMs, what }, 'flush failed, will be tried again')
          await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => {})
          if (closing.signal.aborted) return null
        }
      }
    } finally {
      done.ended()
    }
  }

  wal.onAppend(schedule)
  schedule()

  return {
    freshness() {
      return freshnessOf(wal, now())
    },

    troubles() {
      return progress.troubles(wal.waiting().oldestAt)
    },

    doubted: () => proofs.doubted(),

    async drain(timeoutMs) {
      draining = true
      schedule()
      // By a clock that nobody sets.
      const deadline = performance.now() + timeoutMs
      while (wal.waiting().events > 0 && performance.now() < deadline) {
        await Promise.race([...running, sleep(Math.min(50, Math.max(1, deadline - performance.now())))])
        schedule()
      }
      return wal.waiting().events === 0
    },

    async close() {
      closing.abort()
      if (timer) clearTimeout(timer)
      await Promise.allSettled(running)
    },
  }
}
