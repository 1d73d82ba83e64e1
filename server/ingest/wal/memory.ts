import { randomUUID } from 'node:crypto'
import type { Frame, Waiting, Wal, WalBatch } from './wal.ts'

/** A log that lives as long as the process: what was not stored when it is killed is lost. */
export function createMemoryWal(): Wal {
  // Batch ids must differ from those of every earlier process on the same store.
  const epoch = randomUUID()
  const pendingFrames: Frame[] = []
  const unacked = new Set<WalBatch>()
  const listeners: (() => void)[] = []
  const pendingSize = { events: 0, bytes: 0 }
  const unackedSize = { events: 0, bytes: 0 }
  let batches = 0

  function sizeOf(batch: WalBatch): number {
    return batch.frames.reduce((bytes, frame) => bytes + frame.payload.length, 0)
  }

  return {
    ackLevel: 'memory',

    async append(frame) {
      pendingFrames.push(frame)
      pendingSize.events += frame.events
      pendingSize.bytes += frame.payload.length
      for (const listener of listeners) listener()
    },

    async next(bounds) {
      let events = 0
      let bytes = 0
      let count = 0
      for (const frame of pendingFrames) {
        if (count > 0 && (events + frame.events > bounds.events || bytes + frame.payload.length > bounds.bytes)) break
        events += frame.events
        bytes += frame.payload.length
        count++
      }
      if (count === 0) return null
      const batch = { id: `memory-${epoch}-${batches++}`, frames: pendingFrames.splice(0, count), events }
      unacked.add(batch)
      pendingSize.events -= events
      pendingSize.bytes -= bytes
      unackedSize.events += events
      unackedSize.bytes += bytes
      return batch
    },

    async ack(batch) {
      if (!unacked.delete(batch)) return
      unackedSize.events -= batch.events
      unackedSize.bytes -= sizeOf(batch)
    },

    waiting(): Waiting {
      let oldestAt = pendingFrames[0]?.receivedAt ?? null
      for (const batch of unacked) {
        const at = batch.frames[0]!.receivedAt
        if (oldestAt === null || at < oldestAt) oldestAt = at
      }
      return { events: pendingSize.events + unackedSize.events, bytes: pendingSize.bytes + unackedSize.bytes, oldestAt }
    },

    pending: () => ({ ...pendingSize, oldestAt: pendingFrames[0]?.receivedAt ?? null }),

    uncommitted: () => pendingSize.events + unackedSize.events,
    uncommittedBytes: () => pendingSize.bytes + unackedSize.bytes,
    failing: () => false,
    damaged: () => ({ frames: 0, events: 0 }),
    recovered: () => 0,
    latestAt: () => null,
    elsewhere: () => null,

    onAppend: (listener) => void listeners.push(listener),

    async close() {},
  }
}
