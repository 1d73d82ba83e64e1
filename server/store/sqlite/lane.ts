import { AppError } from '../../errors.ts'
import type { OnProgress } from '../steps.ts'
import { type CallOptions, Thread, type ThreadPurpose } from './thread.ts'

const RESTART_MS = 500

/** A thread and, after it died or hung, its successor. */
export class Lane {
  readonly #purpose: ThreadPurpose
  readonly #onProgress: OnProgress | undefined
  #thread: Thread
  #startedAt = Date.now()
  #closed = false

  constructor(purpose: ThreadPurpose, onProgress?: OnProgress) {
    this.#purpose = purpose
    this.#onProgress = onProgress
    this.#thread = new Thread(purpose, onProgress)
  }

  /** Rejects with the reason why the store cannot be opened. */
  opened(): Promise<void> {
    return this.#thread.opened
  }

  /** AppError unavailable when the thread is lost or slow: the outcome is unknown then. */
  async call(name: string, input: unknown, options?: CallOptions): Promise<unknown> {
    if (this.#closed) throw closedError()
    // One that cannot open the store is not started again at every call.
    const rested = this.#thread.wasOpen || Date.now() - this.#startedAt > RESTART_MS
    if (!this.#thread.alive && rested) {
      this.#thread = new Thread(this.#purpose, this.#onProgress)
      this.#startedAt = Date.now()
    }
    return this.#thread.call(name, input, options)
  }

  /** After the calls before. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#thread.close()
  }
}

export function closedError(): AppError {
  return new AppError('unavailable', 'The store is closed.')
}
