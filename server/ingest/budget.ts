import { AppError } from '../errors.ts'

/** Bytes of requests that are in memory at once, from the first byte of each to its answer. */
export interface Budget {
  hold(): Holding
  readonly heldBytes: number
}

/** What one request has in memory. */
export interface Holding {
  /** From now on it is so much. Growing throws AppError rate_limited where there is no room; shrinking never does. */
  resize(bytes: number): void
  /** Nothing any more; safe to call again. */
  release(): void
}

/** Requests up to this size may use all of the budget, larger ones three quarters: what is small always gets through. */
export const SMALL_BYTES = 64 * 1024
const LARGE_SHARE = 0.75

export function createBudget(maxBytes: number): Budget {
  let held = 0
  return {
    get heldBytes() {
      return held
    },
    hold() {
      let own = 0
      return {
        resize(bytes) {
          const room = bytes <= SMALL_BYTES ? maxBytes : maxBytes * LARGE_SHARE
          if (bytes > own && held - own + bytes > room) throw tooMuchAtOnce()
          held += bytes - own
          own = bytes
        },
        release() {
          held -= own
          own = 0
        },
      }
    },
  }
}

export function tooMuchAtOnce(): AppError {
  return new AppError(
    'rate_limited',
    'Too many large bodies are on their way to this server. Send the request again later, or fewer events at once.',
    // Spread out, or everybody refused now would come back in the same second.
    { retryAfterSeconds: 1 + Math.floor(Math.random() * 5) },
  )
}
