import { Database } from '../server/store/sqlite/database.ts'
import { setMark } from '../server/store/sqlite/marks.ts'

/** Keeps a SQLite store from being written, as another process in a long transaction would, until it is closed. */
export async function holdWriting(path: string): Promise<{
  /** Lets the store go, which refuses events of months before `month` (YYYYMM) from then on. */
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
