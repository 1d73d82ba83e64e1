import type { HeardLog, LogBoard } from '../store.ts'
import type { Collections } from './collections.ts'
import type { LogRow } from './rows.ts'

/** What was told so long ago is forgotten: its machine does not come back, or tells anew when it does. */
const FORGOTTEN_MS = 86_400_000
const TIMEOUT_MS = 5000
/** What is told anew every second need not reach a disk. */
const told = { writeConcern: { w: 1 } } as const

export function createLogBoard(writing: Pick<Collections, 'logs' | 'database'>): LogBoard {
  return {
    async exchange(own, news) {
      if (news)
        await writing.logs.updateOne(
          { _id: own },
          { $set: news, $currentDate: { toldAt: true } },
          { upsert: true, ...told },
        )
      // Clocks of machines are not compared: ages are told, and how long ago by the database's clock.
      const { localTime } = (await writing.database.command({ hello: 1 })) as { localTime: Date }
      const rows = await writing.logs.find({ _id: { $ne: own } }, { maxTimeMS: TIMEOUT_MS }).toArray()
      const heard: HeardLog[] = []
      for (const row of rows) {
        const silentMs = Math.max(0, localTime.getTime() - row.toldAt.getTime())
        if (silentMs > FORGOTTEN_MS) await writing.logs.deleteOne({ _id: row._id, toldAt: row.toldAt }, told)
        else heard.push({ ...newsOf(row), silentMs })
      }
      return heard
    },
    async leave(own) {
      await writing.logs.deleteOne({ _id: own }, told)
    },
  }
}

/** Releases of before told less. */
function newsOf({ _id, host, waiting, oldestMs, survives, abandoned = 0, answersOnly = false }: LogRow) {
  return { name: _id, host, waiting, oldestMs, survives, abandoned, answersOnly }
}
