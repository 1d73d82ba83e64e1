import { AppError } from '../errors.ts'
import type { Wal } from './wal/wal.ts'

export interface Admission {
  /** Room for the whole request or none of it. Throws AppError rate_limited, or unavailable while draining. */
  admit(events: number): void
  /** From now on every request is refused with 503: this process is leaving. */
  drain(): void
  readonly draining: boolean
}

/** Decides for a whole request, before anything of it is written, whether the buffer can take it. */
export function createAdmission(wal: Wal, { bufferEvents }: { bufferEvents: number }): Admission {
  let draining = false
  return {
    get draining() {
      return draining
    },
    drain: () => {
      draining = true
    },
    admit(events) {
      if (draining)
        throw new AppError('unavailable', 'This server is restarting. Send the request again.', {
          retryAfterSeconds: 1,
        })
      const waiting = wal.waiting().events
      if (waiting + events > bufferEvents)
        throw new AppError(
          'rate_limited',
          `${waiting} events wait to be stored and ${bufferEvents} may. Send the request again later.`,
          // Spread out, or everybody refused now would come back in the same second.
          { retryAfterSeconds: 1 + Math.floor(Math.random() * 5) },
        )
    },
  }
}
