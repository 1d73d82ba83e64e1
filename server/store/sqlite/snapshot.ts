import { AppError } from '../../errors.ts'
import { Database, storeError } from './database.ts'
import { SQLITE_FORMAT } from './migrate.ts'

/** Tables whose rows are counted in a copy. */
const COUNTED = ['sites', 'event_ids', 'users', 'sessions', 'orders', 'days', 'accounts', 'write_keys', 'api_tokens']

export interface Snapshot {
  format: number
  counts: Record<string, number>
}

/**
 * Writes one state of the store to a new file, while others go on reading and writing. It takes this thread for as long
 * as copying takes, and what is written meanwhile stays in the store's own log until it is done.
 */
export async function copySqlite(path: string, copy: string): Promise<Snapshot> {
  try {
    const db = await Database.open(path)
    try {
      db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
    } finally {
      db.close()
    }
  } catch (error) {
    throw storeError(error)
  }
  return inspectSqlite(copy)
}

/** What a copy holds. AppError conflict, naming both formats, for one of a newer Veritas; unavailable for a damaged one. */
export async function inspectSqlite(path: string): Promise<Snapshot> {
  try {
    const db = await Database.open(path)
    try {
      const format = Number(db.values('user_version', 'pragma_user_version')[0])
      if (format > SQLITE_FORMAT)
        throw new AppError(
          'conflict',
          `The backup is of a newer Veritas (store format ${format}, this one knows ${SQLITE_FORMAT}): restore it with that version.`,
        )
      const counts: Record<string, number> = {}
      const there = new Set(db.values('name', 'sqlite_master'))
      // An older one has fewer.
      for (const table of COUNTED.filter((name) => there.has(name)))
        counts[table] = Number(db.values('count(*)', table)[0])
      return { format, counts }
    } finally {
      db.close()
    }
  } catch (error) {
    throw storeError(error)
  }
}
