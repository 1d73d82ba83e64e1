import type { Waiting, Wal, WalBatch } from './wal.ts'

/**
 * A log in memory beside the one on disk that earlier processes wrote with another ack level: new events go to memory,
 * and what was promised before is stored all the same.
 */
export function withRest(memory: Wal, disk: Wal): Wal {
  const rest = new WeakSet<WalBatch>()
  let turn = 0

  async function nextOfRest(bounds: { events: number; bytes: number }): Promise<WalBatch | null> {
    const batch = await disk.next(bounds)
    if (batch) rest.add(batch)
    return batch
  }

  return {
    ...memory,
    async next(bounds) {
      // In turn, so that neither starves.
      if (turn++ % 2 === 0) return (await memory.next(bounds)) ?? nextOfRest(bounds)
      return (await nextOfRest(bounds)) ?? memory.next(bounds)
    },
    ack: (batch) => (rest.has(batch) ? disk.ack(batch) : memory.ack(batch)),
    waiting: () => sum(memory.waiting(), disk.waiting()),
    pending: () => sum(memory.pending(), disk.pending()),
    damaged: disk.damaged,
    recovered: disk.recovered,
    latestAt: disk.latestAt,
    elsewhere: disk.elsewhere,
    onAppend(listener) {
      memory.onAppend(listener)
      disk.onAppend(listener)
    },
    async close() {
      await memory.close()
      await disk.close()
    },
  }
}

function sum(a: Waiting, b: Waiting): Waiting {
  const moments = [a.oldestAt, b.oldestAt].filter((at) => at !== null)
  return {
    events: a.events + b.events,
    bytes: a.bytes + b.bytes,
    oldestAt: moments.length === 0 ? null : Math.min(...moments),
  }
}
