import { AppError } from '../../errors.ts'
import type { Database } from './database.ts'
import { initial } from './migrations/001-initial.ts'
import { writeKeys } from './migrations/002-write-keys.ts'
import { jobs } from './migrations/003-jobs.ts'
import { marks } from './migrations/004-marks.ts'
import { orders } from './migrations/005-orders.ts'

/** SQL, or what makes and runs it. */
type Step = string | ((db: Database) => void)

/** Number n brings a database from version n - 1 to n. Only ever appended to. */
const migrations: readonly Step[] = [initial, writeKeys, jobs, marks, orders]

/** The format of a file that this program made or updated. */
export const SQLITE_FORMAT = migrations.length

/** "Vrts": tells a Veritas store from any other SQLite file. */
const APPLICATION_ID = 0x56727473
const PAGE_BYTES = 4096
const SWITCH_TIMEOUT_MS = 10_000

/**
 * Makes or updates the store's tables; each migration is one transaction. Several processes may do it at once: the
 * version is looked at again once the file is theirs. AppError unavailable for a file that is not ours or is newer.
 */
export function migrate(db: Database, steps: readonly Step[] = migrations): void {
  // Of one state: another process may just be making the store.
  db.read(() => checkOwner(db))
  // Counts only while the file is empty; afterwards it has the page size it was made with.
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}`)
  setWalMode(db)
  while (versionOf(db, steps) < steps.length)
    db.write(() => {
      const version = versionOf(db, steps)
      const step = steps[version]
      if (step === undefined) return
      if (typeof step === 'string') db.exec(step)
      else step(db)
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}`)
    })
}

function checkOwner(db: Database): void {
  const { application_id: owner } = db.get<{ application_id: number }>('PRAGMA application_id') ?? { application_id: 0 }
  const tables = db.get<{ tables: number }>('SELECT count(*) AS tables FROM sqlite_master')?.tables ?? 0
  if (owner === APPLICATION_ID || (owner === 0 && tables === 0)) return
  throw new AppError('unavailable', 'The store cannot be opened: its file is a database of another program.')
}

function versionOf(db: Database, steps: readonly Step[]): number {
  const version = db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
  if (version > steps.length)
    throw new AppError(
      'unavailable',
      `The store was written by a newer Veritas (its format is ${version}, this one knows ${steps.length}): start that version.`,
    )
  return version
}

/** SQLite does not wait its busy timeout for this switch, so two processes that start at once may collide. */
function setWalMode(db: Database): void {
  const deadline = Date.now() + SWITCH_TIMEOUT_MS
  for (;;)
    try {
      const mode = db.get<{ journal_mode: string }>('PRAGMA journal_mode = WAL')?.journal_mode
      if (mode === 'wal') return
      throw new AppError('unavailable', `The store cannot be opened: its file system allows no WAL mode (${mode}).`)
    } catch (error) {
      const busy = error instanceof Error && 'errcode' in error && error.errcode === 5
      if (!busy || Date.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
}
