import type { Figures } from './summary.ts'

/** Rows of users, sessions and orders, and batches, that are worth a fold at once. */
const ENOUGH_ROWS = 8000
const ENOUGH_BATCHES = 16

/** Batches that this process has finished and that no fold is known to have. Their figures need not be read again. */
export class Unfolded {
  readonly #batches = new Map<string, Figures | null>()
  #rows = 0

  add(batchId: string, figures: Figures | null): void {
    if (this.#batches.has(batchId)) return
    this.#batches.set(batchId, figures)
    this.#rows += figures?.rows ?? 0
  }

  figuresOf(batchId: string): Figures | null {
    return this.#batches.get(batchId) ?? null
  }

  ids(): string[] {
    return [...this.#batches.keys()]
  }

  remove(batchIds: Iterable<string>): void {
    for (const batchId of batchIds) {
      this.#rows -= this.#batches.get(batchId)?.rows ?? 0
      this.#batches.delete(batchId)
    }
  }

  get isEmpty(): boolean {
    return this.#batches.size === 0
  }

  /** Whether waiting for more would save nothing. */
  get isEnough(): boolean {
    return this.#isAbove(1)
  }

  /** Whether folds do not keep up: nothing should be added until they do. */
  get isTooMuch(): boolean {
    return this.#isAbove(3)
  }

  #isAbove(times: number): boolean {
    return this.#rows >= times * ENOUGH_ROWS || this.#batches.size >= times * ENOUGH_BATCHES
  }
}
