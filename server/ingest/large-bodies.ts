import { Worker } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import type { RawBody } from './body.ts'
import { createGate } from './gate.ts'
import type { Judging } from './judge.ts'
import { ownBytes, type Question, type Reply, type Steps } from './large-steps.ts'
import type { BodyBounds, Judgement, Measure, Opened } from './open-body.ts'

/** A body that is worked on, step by step; each may take a while. */
export interface WorkedBody {
  /** Bytes of the inflated body. Throws AppError too_large, invalid_input. */
  open(): number | Promise<number>
  measure(): Measure | Promise<Measure>
  parse(): Opened | Promise<Opened>
  judge(judging: Judging): Judgement | Promise<Judgement>
  /** The inflated body, once it is judged. */
  bytes(): Buffer
}

/** Inflates, parses and judges what is large, on threads of its own: the loop that answers everybody never does. */
export interface LargeBodies {
  /**
   * Works on a body when its turn has come, which those of other lanes do not wait for. What is handed in is the thread's
   * from then on. Rejects with AppError rate_limited when too many wait, unavailable when the thread is lost, and with
   * what the steps and the work throw.
   */
  work<T>(lane: unknown, raw: RawBody, work: (body: WorkedBody) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface LargeBodiesParts {
  threads: number
  bounds: BodyBounds
  /** A thread that ended by itself; the next body gets a new one. */
  onLost(error: unknown): void
  startThread?: () => Thread
  idleMs?: number
}

/** The part of a Worker that is needed. */
export type Thread = Pick<Worker, 'postMessage' | 'on' | 'terminate' | 'unref'>

/** Each takes milliseconds, so those at the end wait for seconds. */
const MAX_WAITING = 100
/** Of objects that die young; by itself V8 lets a thread have twice as much. */
const YOUNG_MB = 24
/** A thread that had nothing to do for so long ends, and its memory is given back. */
const IDLE_MS = 30_000

export function createLargeBodies({
  threads,
  bounds,
  onLost,
  startThread = startWorker,
  idleMs = IDLE_MS,
}: LargeBodiesParts): LargeBodies {
  const gate = createGate(threads, MAX_WAITING)
  const free: Asked[] = []
  const all = new Set<Asked>()

  function take(): Asked {
    for (let thread = free.pop(); thread; thread = free.pop()) if (thread.alive) return thread
    const started: Asked = new Asked(startThread(), (error) => {
      all.delete(started)
      if (error !== null) onLost(error)
    })
    all.add(started)
    return started
  }

  return {
    async work(lane, raw, work) {
      const leave = await gate.enter(lane)
      const thread = take()
      try {
        let judged: Buffer | undefined
        return await work({
          open() {
            const { coding, maxBytes } = raw
            const bytes = ownBytes(raw.bytes)
            return thread.ask('open', { bytes, coding, maxBytes, bounds }, [bytes.buffer])
          },
          measure: () => thread.ask('measure', null),
          parse: () => thread.ask('parse', null),
          async judge(judging) {
            const { bytes, ...judgement } = await thread.ask('judge', judging)
            judged = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
            return judgement
          },
          bytes: () => judged!,
        })
      } finally {
        if (thread.alive) {
          free.push(thread)
          thread.endWhenIdle(idleMs)
        }
        leave()
      }
    },
    async close() {
      await Promise.all([...all].map((thread) => thread.end()))
    },
  }
}

/** A thread that is asked one thing at a time. */
class Asked {
  readonly #thread: Thread
  readonly #onEnd: (error: unknown) => void
  #waiting: { resolve(answer: unknown): void; reject(error: unknown): void } | null = null
  #idle: NodeJS.Timeout | undefined
  alive = true

  /** `onEnd` hears null when the end was wanted. */
  constructor(thread: Thread, onEnd: (error: unknown) => void) {
    this.#thread = thread
    this.#onEnd = onEnd
    // It never holds up the end of the process.
    thread.unref()
    thread.on('message', (reply: Reply) => this.#settle(reply))
    thread.on('error', (error: unknown) => this.#lose(error))
    thread.on('exit', (code: number) => this.#lose(new Error(`the thread ended with ${code}`)))
  }

  ask<Step extends keyof Steps>(
    step: Step,
    input: Parameters<Steps[Step]>[0],
    handOver: ArrayBuffer[] = [],
  ): Promise<ReturnType<Steps[Step]>> {
    clearTimeout(this.#idle)
    if (!this.alive) return Promise.reject(lost())
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve: resolve as (answer: unknown) => void, reject }
      this.#thread.postMessage({ step, input } satisfies Question<Step>, handOver)
    })
  }

  endWhenIdle(idleMs: number): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.end(), idleMs).unref()
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle)
    this.#lose(null)
    await this.#thread.terminate()
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting
    this.#waiting = null
    if ('answer' in reply) waiting?.resolve(reply.answer)
    else if ('failure' in reply) waiting?.reject(reply.failure)
    else waiting?.reject(new AppError(reply.error.code, reply.error.message, { field: reply.error.field }))
  }

  #lose(error: unknown): void {
    if (!this.alive) return
    this.alive = false
    this.#waiting?.reject(lost(error))
    this.#waiting = null
    this.#onEnd(error)
  }
}

function lost(cause?: unknown): AppError {
  return new AppError('unavailable', 'The server lost what worked on this request. Send it again.', {
    retryAfterSeconds: 1,
    cause,
  })
}

/** In the build the thread is a bundle beside this one; from source it is TypeScript. */
function startWorker(): Worker {
  const file = import.meta.url.endsWith('.ts')
    ? new URL('./large-thread-from-source.mjs', import.meta.url)
    : new URL('./large-thread.js', import.meta.url)
  return new Worker(file, { name: 'large-bodies', resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })
}
