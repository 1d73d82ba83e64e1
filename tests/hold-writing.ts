import { Database } from '../server/store/sqlite/database.ts'

/** Keeps a SQLite store from being written, as another process in a long transaction would, until it is closed. */
export async function holdWriting(path: string): Promise<{ close(): void }> {
  const database = await Database.open(path)
  database.exec('BEGIN IMMEDIATE')
  return { close: () => database.close() }
}
