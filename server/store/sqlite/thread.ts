import { Worker } from 'node:worker_threads'
import { AppError, type ErrorCode } from '../../errors.ts'
import type { OnProgress } from '../steps.ts'
import { afterWaiting, slowError } from './patience.ts'
import { Reins } from './reins.ts'

export type WorkerData = ThreadPurpose & {
  /** Of the thread's Reins. */
  reins: Int32Array<SharedArrayBuffer>
}

export interface ThreadPurpose {
  /** snapshot: a reader all of whose answers are of the state in which it was opened. checkpointer: brings the log into the file. */
  role: 'writer' | 'reader' | 'snapshot' | 'checkpointer'
  path: string
  /** Memory for pages of the file, if not that of a reader. */
  cacheBytes?: number
}

export interface Request {
  id: number
  name: string
  input: unknown
  /** A reader gives the question up after so long. */
  timeoutMs: number | undefined
}

/** The first reply, with id 0, says that the connection is open or why not; before it, how far a step has come. */
export interface Reply {
  id: number
  progress?: Parameters<OnProgress>[0]
  answer?: unknown
  error?: Pick<AppError, 'message' | 'field' | 'isForClients'> & { code: ErrorCode; cause: string | undefined }
}

/** Of objects that die young; by itself V8 lets each thread have three times as much. */
const YOUNG_MB = 16
const OPEN_TIMEOUT_MS = 60_000
/** For the threads to leave SQLite when the process ends by exit(). */
const EXIT_TIMEOUT_MS = 2000

/** Of every thread that has not ended. */
const living = new Set<Reins>()
process.on('exit', () => {
  for (const reins of living) reins.pull()
  const until = performance.now() + EXIT_TIMEOUT_MS
  for (const reins of living) reins.waitForRest(Math.max(0, until - performance.now()))
})

interface Call {
  resolve(answer: unknown): void
  reject(error: Error): void
  stopWaiting(): void
}

export interface CallOptions {
  timeoutMs?: number
  handOver?: readonly ArrayBuffer[]
}

/** One worker thread from start to end. Calls are answered in their order; when it ends, those left are rejected. */
export class Thread {
  readonly #worker: Worker
  readonly #reins = new Reins()
  readonly #calls = new Map<number, Call>()
  #lastId = 0
  #end: AppError | undefined
  #wasOpen = false
  /** Resolves when the store is open in the thread; rejects with the reason why it cannot be. */
  readonly opened: Promise<void>
  readonly ended: Promise<void>

  constructor(purpose: ThreadPurpose, onProgress?: OnProgress) {
    this.#worker = startWorker({ ...purpose, reins: this.#reins.shared })
    living.add(this.#reins)
    this.#worker.on('message', (reply: Reply) => {
      if (reply.progress) onProgress?.(reply.progress)
      else this.#settle(reply)
    })
    this.#worker.on('error', (error) => this.stop(lostError(this.#wasOpen, error)))
    this.ended = new Promise((resolve) =>
      this.#worker.once('exit', () => {
        living.delete(this.#reins)
        this.stop(lostError(this.#wasOpen))
        resolve()
      }),
    )
    this.opened = new Promise((resolve, reject) => {
      const opened = () => {
        this.#wasOpen = true
        resolve()
      }
      this.#calls.set(0, { resolve: opened, reject, stopWaiting: () => {} })
    })
    // Whoever waits for the opening gets its error; nobody has to.
    this.opened.catch(() => undefined)
  }

  get alive(): boolean {
    return this.#end === undefined
  }

  /** False for one that could not open the store, or not yet. */
  get wasOpen(): boolean {
    return this.#wasOpen
  }

  /**
   * Without an answer after `timeoutMs` the call is rejected. A reader gives up by itself before that; a thread that does
   * not is stopped. What is handed over is the thread's from then on, instead of being copied.
   */
  call(name: string, input: unknown, { timeoutMs, handOver = [] }: CallOptions = {}): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end)
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      // Waits at the thread's port until it is open.
      this.#worker.postMessage({ id, name, input, timeoutMs } satisfies Request, handOver)
      this.#calls.set(id, { resolve, reject, stopWaiting: () => {} })
      if (timeoutMs === undefined) return
      this.#waitFor(id, this.#wasOpen ? timeoutMs : OPEN_TIMEOUT_MS)
      // What a new thread takes to start is not the question's fault: it would never get one that is fast enough.
      if (!this.#wasOpen) void this.opened.then(() => this.#waitFor(id, timeoutMs)).catch(() => undefined)
    })
  }

  #waitFor(id: number, timeoutMs: number): void {
    const call = this.#calls.get(id)
    if (!call) return
    call.stopWaiting()
    call.stopWaiting = afterWaiting(timeoutMs, () => this.stop(slowError(timeoutMs)))
  }

  /**
   * Every call left is rejected with the error, at once; the thread ends as soon as it is out of SQLite, which it leaves
   * between two statements and at every `in_time()`.
   */
  stop(error: AppError): void {
    if (this.#end) return
    this.#end = error
    for (const call of this.#calls.values()) {
      call.stopWaiting()
      call.reject(error)
    }
    this.#calls.clear()
    this.#reins.pull()
    // One that stands inside SQLite hears it when it is out; one that could not open the store has ended by itself.
    this.#worker.postMessage({ id: 0, name: 'close', input: null, timeoutMs: undefined } satisfies Request)
  }

  /** Ends the thread after the calls before. */
  async close(): Promise<void> {
    await this.call('close', null).catch(() => undefined)
    await this.ended
  }

  #settle({ id, answer, error }: Reply): void {
    const call = this.#calls.get(id)
    if (!call) return
    if (error && id === 0) {
      this.stop(errorOf(error))
      return
    }
    this.#calls.delete(id)
    call.stopWaiting()
    if (error) call.reject(errorOf(error))
    else call.resolve(answer)
  }
}

/** In the build the worker is a bundle beside this one; from source it is TypeScript. */
function startWorker(workerData: WorkerData): Worker {
  const file = import.meta.url.endsWith('.ts')
    ? new URL('./worker-from-source.mjs', import.meta.url)
    : new URL('./worker.js', import.meta.url)
  return new Worker(file, {
    workerData,
    name: `store-${workerData.role}`,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  })
}

/** Of a thread that had the store open something it was asked for may have been the end, such as by the memory it took. */
function lostError(wasOpen: boolean, cause?: unknown): AppError {
  return new AppError('unavailable', 'The store lost the thread that worked on this; ask again.', {
    cause,
    suspectsInput: wasOpen,
  })
}

function errorOf({ code, message, field, cause, isForClients }: NonNullable<Reply['error']>): AppError {
  return new AppError(code, message, { ...(field !== undefined && { field }), cause, isForClients })
}
