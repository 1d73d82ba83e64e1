import type { Database } from './database.ts'
import type { Checkpoint } from './log-bound.ts'

/**
 * Brings the log into the file, as far as nobody reads a state from before; nobody waits for it. `truncate` also gives
 * its room back, where nobody reads from it just now.
 */
export function checkpoint(db: Database, { truncate }: { truncate: boolean }): Checkpoint {
  if (!truncate) return run(db, 'PASSIVE')
  const { busy_timeout: patience } = db.get<{ busy_timeout: number }>(
    'SELECT timeout AS busy_timeout FROM pragma_busy_timeout',
  )!
  db.exec('PRAGMA busy_timeout = 0')
  try {
    return run(db, 'TRUNCATE')
  } finally {
    db.exec(`PRAGMA busy_timeout = ${patience}`)
  }
}

function run(db: Database, mode: 'PASSIVE' | 'TRUNCATE'): Checkpoint {
  const { log, checkpointed } = db.get<Checkpoint>(`PRAGMA wal_checkpoint(${mode})`)!
  return { log, checkpointed }
}
