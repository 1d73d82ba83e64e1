import { AppError } from '../../errors.ts'
import { createListener } from './told.ts'
import type { Wal } from './wal.ts'

/** The log as a process sees it that takes no events (ROLE=web): what waits in those of others, nothing of its own. */
export function createReadingWal(dir: string, ackLevel: Wal['ackLevel']): Wal {
  const listener = createListener(dir, () => false)
  const nothing = () => ({ events: 0, bytes: 0, oldestAt: null })
  return {
    ackLevel,
    async append() {
      throw new AppError('unavailable', 'This process takes no events.', { retryAfterSeconds: 5 })
    },
    next: async () => null,
    async ack() {},
    waiting: nothing,
    pending: nothing,
    uncommitted: () => 0,
    uncommittedBytes: () => 0,
    failing: () => false,
    damaged: () => ({ frames: 0, events: 0 }),
    recovered: () => 0,
    latestAt: () => null,
    elsewhere: listener,
    onAppend() {},
    async close() {},
  }
}
