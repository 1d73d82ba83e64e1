import { AppError } from '../errors.ts'
import type { JobStore } from '../store/store.ts'
import type { Clock } from './clock.ts'

/** A process that died with a lease holds others up for as long. */
const LEASE_MS = 60_000

export interface LeaseParts {
  jobs: JobStore
  clock: Clock
  /** Of the job, see jobKey. */
  name: string
  /** Unique to this process. */
  owner: string
  /** Ends the work early. */
  signal: AbortSignal
}

/**
 * Runs the work while this owner holds the lease, and gives it up afterwards; null when another holds it. The work's
 * signal aborts when the lease was lost or could not be prolonged in time, so that no two are ever at it.
 */
export async function withLease<T>(
  { jobs, clock, name, owner, signal }: LeaseParts,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  let until = clock.now() + LEASE_MS
  if (!(await jobs.claim({ name, owner, now: clock.now(), until }))) return null
  const working = new AbortController()
  const lost = new AbortController()

  async function keep(): Promise<void> {
    while (!working.signal.aborted) {
      await clock.sleep(LEASE_MS / 4, working.signal)
      if (working.signal.aborted) return
      const now = clock.now()
      const kept = await jobs.claim({ name, owner, now, until: now + LEASE_MS }).catch(() => null)
      if (kept) until = now + LEASE_MS
      // A store that does not answer is asked again while there is time for another two tries.
      else if (kept === false || clock.now() >= until - LEASE_MS / 3)
        return lost.abort(new AppError('unavailable', `The lease of ${name} could not be kept.`))
    }
  }

  const keeping = keep()
  try {
    return await work(AbortSignal.any([signal, lost.signal]))
  } finally {
    working.abort()
    await keeping
    // Left to run out when the store is away.
    await jobs.release({ name, owner }).catch(() => {})
  }
}
