import { setTimeout as sleep } from 'node:timers/promises'

/** How long a fold lets questions of this process finish before it changes rows under them; they are then asked again. */
const PATIENCE_MS = 1000

/**
 * Questions that take several reads and folds of one process, taking turns: a fold waits for the questions that are
 * being answered, and the questions that come meanwhile wait for the fold. It saves asking again; what makes answers
 * right is the head (state.ts), since other processes fold too.
 */
export class Gate {
  readonly #asking = new Set<Promise<unknown>>()
  #changing: Promise<unknown> | null = null

  async ask<T>(question: () => Promise<T>): Promise<T> {
    while (this.#changing) await this.#changing
    const answer = question()
    const settled = answer.then(nothing, nothing)
    this.#asking.add(settled)
    try {
      return await answer
    } finally {
      this.#asking.delete(settled)
    }
  }

  async change<T>(change: () => Promise<T>): Promise<T> {
    while (this.#changing) await this.#changing
    const changed = this.#afterQuestions().then(change)
    const settled = changed.then(nothing, nothing)
    this.#changing = settled
    try {
      return await changed
    } finally {
      this.#changing = null
    }
  }

  async #afterQuestions(): Promise<void> {
    if (this.#asking.size === 0) return
    const patience = new AbortController()
    const enough = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(nothing)
    await Promise.race([Promise.all(this.#asking), enough])
    patience.abort()
  }
}

function nothing(): void {}
