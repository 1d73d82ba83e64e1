import { Database } from '../server/store/sqlite/database.ts'
import { setMark } from '../server/store/sqlite/marks.ts'

/** Locks a SQLite store for writing, like another process in a long transaction, until it is closed. */
export async function holdWriting(path: string): Promise<{
  /** Releases the lock; from then on the store rejects events from months before `month` (YYYYMM). */
  keepFrom(month: number): void
  close(): void
}> {
  const database = await Database.open(path)
  database.exec('BEGIN IMMEDIATE')
  return {
    keepFrom(month) {
      setMark(database, { name: 'events kept from', value: String(month) })
      database.exec('COMMIT')
    },
    close: () => database.close(),
  }
}
