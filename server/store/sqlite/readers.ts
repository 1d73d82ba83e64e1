import { AppError } from '../../errors.ts'
import { closedError, Lane } from './lane.ts'
import { afterWaiting } from './patience.ts'

interface Question {
  name: string
  input: unknown
  resolve(answer: unknown): void
  reject(error: unknown): void
  stopWaiting(): void
}

/** Reader threads, each with one question at a time; further questions wait for the first that is free. */
export class Readers {
  readonly #lanes: Lane[]
  readonly #free: Lane[]
  readonly #waiting: Question[] = []
  readonly #timeoutMs: number
  #idle: (() => void) | undefined
  #closed = false

  constructor(path: string, count: number, timeoutMs: number) {
    this.#lanes = Array.from({ length: count }, () => new Lane({ role: 'reader', path }))
    this.#free = [...this.#lanes]
    this.#timeoutMs = timeoutMs
  }

  async opened(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.opened()))
  }

  /** AppError unavailable after `timeoutMs` of waiting or as much of answering. */
  ask(name: string, input: unknown): Promise<unknown> {
    if (this.#closed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const question: Question = {
        name,
        input,
        resolve,
        reject,
        stopWaiting: afterWaiting(this.#timeoutMs, () => this.#refuse(question)),
      }
      this.#waiting.push(question)
      this.#next()
    })
  }

  /** After every question is answered. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#free.length < this.#lanes.length)
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    await Promise.all(this.#lanes.map((lane) => lane.close()))
  }

  #next(): void {
    const question = this.#waiting[0]
    const lane = question && this.#free.shift()
    if (!lane) {
      if (this.#free.length === this.#lanes.length) this.#idle?.()
      return
    }
    this.#waiting.shift()
    question.stopWaiting()
    lane
      .call(question.name, question.input, { timeoutMs: this.#timeoutMs })
      .then(question.resolve, question.reject)
      .finally(() => {
        this.#free.push(lane)
        this.#next()
      })
  }

  #refuse(question: Question): void {
    this.#waiting.splice(this.#waiting.indexOf(question), 1)
    const message = 'The store is busy with other questions; ask again in a moment.'
    question.reject(new AppError('unavailable', message, { isForClients: true, retryAfterSeconds: 5 }))
  }
}
