import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

const RETRY_MS = 1000

/** Work at the start that needs the store, which may be away. */
export interface Preparation {
  /** Throws AppError unavailable until the work is done. */
  assertDone(): void
  /** Gives up waiting. */
  close(): void
}

/**
 * Does the work now, or as soon as the store is there: a server that starts while its store is away takes events all
 * the same. Rejects when the work fails at once for another reason; when it does so later, `fail` hears of it.
 */
export async function prepare(
  work: () => Promise<void>,
  { log, fail, retryMs = RETRY_MS }: { log: Telemetry['log']; fail: (error: unknown) => void; retryMs?: number },
): Promise<Preparation> {
  const closing = new AbortController()
  let isDone = false
  let isTold = false

  async function attempt(): Promise<boolean> {
    try {
      await work()
      isDone = true
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unavailable')) throw error
      if (!isTold) log.warn({ err: error }, 'the store is away; what it is needed for is done when it is there')
      isTold = true
    }
    return isDone
  }

  async function keepTrying(): Promise<void> {
    while (!closing.signal.aborted && !(await attempt()))
      await sleep(retryMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
  }

  if (!(await attempt()))
    void sleep(retryMs, undefined, { signal: closing.signal, ref: false })
      .catch(() => {})
      .then(keepTrying)
      .catch(fail)

  return {
    assertDone() {
      if (!isDone) throw new AppError('unavailable', 'The store has been away since the start.')
    },
    close: () => closing.abort(),
  }
}
