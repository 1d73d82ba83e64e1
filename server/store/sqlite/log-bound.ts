import { statSync } from 'node:fs'
import { AppError } from '../../errors.ts'
import { closedError } from './lane.ts'
import { Thread } from './thread.ts'

/** The thread copies pages and keeps none. */
const CACHE_BYTES = 2 * 1024 * 1024
/** From here on the log (PATH-wal) is brought into the file. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024
/** What the writer itself may bring into the file between two batches: some tenths of a second. */
const REST_PAGES = 16_000
/** Until it is tried again when somebody reads a state that is still needed. */
const RETRY_MS = 250

/** What SQLite tells of a checkpoint: pages in the log, and how many of them are in the file. */
export interface Checkpoint {
  log: number
  checkpointed: number
}

export interface LogBound {
  /** Throws AppError unavailable while the log is as long as it may be. */
  assertRoom(): void
  /** To be called after something was written. */
  look(): void
  close(): Promise<void>
}

/**
 * Keeps SQLite's own log short and bounded. A thread of its own brings it into the file while the writer goes on; the
 * writer does what is left, after which the log begins anew. Whoever reads one state for long (a backup does) keeps the
 * log from that; when it has grown to the bound, batches are refused and wait in the server's log until that is over:
 * a full disk would stop everything.
 */
export function createLogBound(
  path: string,
  maxBytes: number,
  finish: (input: { truncate: boolean }) => Promise<Checkpoint>,
): LogBound {
  const threshold = Math.min(CHECKPOINT_BYTES, maxBytes / 4)
  let thread: Thread | undefined
  let running: Promise<void> | undefined
  let nextAt = 0
  let isClosed = false

  function bytes(): number {
    return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  async function checkpoint(): Promise<void> {
    if (!thread?.alive) thread = new Thread({ role: 'checkpointer', path, cacheBytes: CACHE_BYTES })
    const { log, checkpointed } = (await thread.call('checkpoint', { truncate: false })) as Checkpoint
    if (log - checkpointed <= REST_PAGES) await finish({ truncate: bytes() >= maxBytes / 2 })
  }

  function look(): void {
    if (isClosed || running || performance.now() < nextAt || bytes() < threshold) return
    running = checkpoint()
      // Told by the next batch where the store as a whole is in trouble.
      .catch(() => undefined)
      .finally(() => {
        running = undefined
        nextAt = performance.now() + RETRY_MS
      })
  }

  return {
    look,
    assertRoom() {
      if (bytes() < maxBytes) return
      look()
      throw new AppError(
        'unavailable',
        `The log of the store has grown to SQLITE_LOG_MAX_BYTES (${maxBytes}): somebody has been reading one state of it for long, as a backup does. Events wait until that is over.`,
      )
    },
    async close() {
      isClosed = true
      await running
      thread?.stop(closedError())
      await thread?.ended
    },
  }
}
