/** Rows given back in one step of a scan. */
const STEP_EVENTS = 2000
/** Characters of their payloads: so many of the largest events would be 64 MiB, in more than one place at once. */
const STEP_CHARACTERS = 4 * 1024 * 1024

/** What has room in one step of a scan: at least one row, and the one that fills it. */
export class StepRoom {
  #events = 0
  #characters = 0

  /** Counts a row that is given back. */
  take({ payload }: { payload: string | null }): void {
    this.#events += 1
    this.#characters += payload?.length ?? 0
  }

  get isFull(): boolean {
    return this.#events >= STEP_EVENTS || this.#characters >= STEP_CHARACTERS
  }

  /** Rows that may still come. */
  get rows(): number {
    return STEP_EVENTS - this.#events
  }
}
