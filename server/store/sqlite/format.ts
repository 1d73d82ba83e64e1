import { AppError } from '../../errors.ts'
import type { Database } from './database.ts'

/** "Vrts": tells a Veritas store from any other SQLite file. */
const APPLICATION_ID = 0x56727473

export interface Format {
  /** Steps that were done. */
  format: number
  /** The oldest format that a program must know to use the file: what user_version says, which every release looks at. */
  oldestReader: number
}

/**
 * The format of a file, 0 for an empty one; within a transaction, and without a prepared statement, so that closing lets
 * go of the file. AppError unavailable for a database of another program.
 */
export function formatOf(db: Database): Format {
  const owner = Number(db.values('application_id', 'pragma_application_id')[0])
  const tables = db.values('name', 'sqlite_master')
  if (owner !== APPLICATION_ID && (owner !== 0 || tables.length > 0))
    throw new AppError('unavailable', 'The store cannot be opened: its file is a database of another program.')
  const oldestReader = Number(db.values('user_version', 'pragma_user_version')[0])
  const done = tables.includes('store_steps') ? Number(db.values('coalesce(max(step), 0)', 'store_steps')[0]) : 0
  return { format: Math.max(oldestReader, done), oldestReader }
}

/** Notes that the step to `format` was done, without a prepared statement either. Belongs into the transaction of the step. */
export function noteFormat(db: Database, { format, oldestReader }: Format, name: string): void {
  db.exec(
    `CREATE TABLE IF NOT EXISTS store_steps (step INTEGER PRIMARY KEY, name TEXT NOT NULL, done_at INTEGER NOT NULL) STRICT`,
  )
  db.exec(`INSERT INTO store_steps VALUES (${format}, '${name.replaceAll("'", "''")}', ${Date.now()})`)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${oldestReader}`)
}
