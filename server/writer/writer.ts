import { setTimeout as sleep } from 'node:timers/promises'
import type { Freshness } from '../../trpc/schema/common.ts'
import { createTurns, type DecodedFrame, decodeFrame } from '../ingest/frame.ts'
import type { Wal, WalBatch } from '../ingest/wal/wal.ts'
import { frameOutcome } from '../store/frame-outcome.ts'
import type { EventWriting, FrameOutcome } from '../store/store.ts'
import { countBatch, type Telemetry } from '../telemetry.ts'
import { backoffMs } from './backoff.ts'
import type { DeadLetters } from './dead-letters.ts'
import { freshnessOf } from './freshness.ts'
import { attempt, runBatch } from './run-batch.ts'

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
/** How long a batch may be decoded before others get a turn. */
const TURN_MS = 8

/** Takes batches from the log to the store. A batch is tried under the same id until the store has it. */
export function createWriter(parts: {
  wal: Wal
  store: EventWriting
  deadLetters: DeadLetters
  telemetry: Telemetry
  settings: WriterSettings
  now: () => number
}): Writer {
  const { wal, store, settings, telemetry, now } = parts
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | null = null
  let taking = false
  let draining = false

  function schedule(): void {
    if (taking || running.size >= settings.concurrency || closing.signal.aborted) return
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
    const startedAt = performance.now()
    const outcome = await insert(batch)
    if (!outcome) return
    const letters = outcome.letters.map((letter) => ({ at: now(), ...letter }))
    if (letters.length > 0) {
      telemetry.log.error({ letters: letters.length, reason: letters[0]?.reason }, 'events became dead letters')
      if (!(await retry(() => parts.deadLetters.add(letters).then(() => true), 'dead letters'))) return
    }
    // In one turn with the ack, so that the counters balance at every moment anybody can look.
    countBatch(telemetry, { ...outcome, letters, frames: batch.frames, tookMs: performance.now() - startedAt }, now())
    await wal.ack(batch).catch((error: unknown) => {
      // The store has it: the log will hand the batch out once more after a restart, which changes nothing.
      telemetry.log.warn({ err: error }, 'the log could not note that a batch is stored')
    })
  }

  /** Where the engine has a thread that reads frames this loop need not; where that fails, or there is none, it does. */
  async function insert(batch: WalBatch): Promise<FrameOutcome | null> {
    const inFrames = store.insertFrames && (await attempt(() => store.insertFrames!(batch), retry))
    if (inFrames === null) return null
    if (inFrames && 'answer' in inFrames) return inFrames.answer
    const decoded = await decode(batch)
    const outcome = await runBatch(store, { id: batch.id, events: decoded.events }, retry, inFrames?.failure)
    return outcome && frameOutcome(decoded, outcome)
  }

  /** Tries for ever: the store being away is no reason to lose anything. Null when this writer is closed meanwhile. */
  async function retry<T>(action: () => Promise<T>, what: string): Promise<T | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await action()
      } catch (error) {
        telemetry.counters.flushFailures++
        const waitMs = backoffMs(tries, settings.retryMs ?? 100)
        telemetry.log.warn({ err: error, tries, waitMs, what }, 'flush failed, will be tried again')
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => {})
        if (closing.signal.aborted) return null
      }
    }
  }

  wal.onAppend(schedule)
  schedule()

  return {
    freshness() {
      return freshnessOf(wal, now())
    },

    async drain(timeoutMs) {
      draining = true
      schedule()
      const deadline = now() + timeoutMs
      while (wal.waiting().events > 0 && now() < deadline) {
        await Promise.race([...running, sleep(Math.min(50, Math.max(1, deadline - now())))])
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

async function decode(batch: WalBatch): Promise<DecodedFrame> {
  const decoded: DecodedFrame = { events: [], unreadable: [] }
  const turns = createTurns(TURN_MS)
  for (const frame of batch.frames) {
    const { events, unreadable } = await decodeFrame(frame, turns)
    for (const event of events) decoded.events.push(event)
    for (const each of unreadable) decoded.unreadable.push(each)
  }
  return decoded
}
