import { AppError } from '../../errors.ts'
import { hasChanges, type OnProgress, oldestReader } from '../steps.ts'
import { forgetOldCopies, keepCopy } from './copies.ts'
import { Database, isBusy } from './database.ts'
import { formatOf, noteFormat } from './format.ts'
import { FIRST_FORMAT, type SqliteStep, sqliteSteps } from './migrations/steps.ts'

/** The format of a file that this program made or updated. */
export const SQLITE_FORMAT = sqliteSteps.length

const PAGE_BYTES = 4096
const SWITCH_TIMEOUT_MS = 10_000
/** Longer than PM2 waits before it ends the process that a new one replaces (listen_timeout of ecosystem.config.cjs). */
const ALONE_TIMEOUT_MS = 90_000

export interface MigrateOptions {
  steps?: readonly SqliteStep[] | undefined
  onProgress?: OnProgress | undefined
  /** How long to wait for others: to be done with making the tables, or to close the file where a step needs it alone. */
  aloneTimeoutMs?: number | undefined
}

/**
 * Opens a store for writing, and makes or updates its tables. Several processes may do it at once. Where a step changes
 * what was there, nobody else may have the file open, and a copy of it is kept beside it. AppError unavailable, with the
 * file as it was, where it is not ours, newer, open elsewhere, or without room for the copy.
 */
export async function openMigrated(path: string, options: MigrateOptions = {}): Promise<Database> {
  const deadline = Date.now() + (options.aloneTimeoutMs ?? ALONE_TIMEOUT_MS)
  for (;;) {
    const db = await Database.open(path)
    try {
      migrate(db, options)
      return db
    } catch (error) {
      db.close()
      // On a busy machine another start takes longer for making the tables than a statement waits.
      if (!(error instanceof OpenElsewhere || isBusy(error)) || Date.now() > deadline) throw error
    }
    // Closed meanwhile, and of no fixed length: else two that want the same would wait for each other.
    pause(50 + Math.random() * 200)
  }
}

/** A step needs the file alone, and somebody else has it open. */
class OpenElsewhere extends AppError {
  constructor(step: string) {
    super(
      'unavailable',
      `The store is to be brought to a newer format (${step}), and another program has it open: end that first.`,
    )
  }
}

/** As openMigrated, of a file that is open, and without waiting for others to close it. */
export function migrate(db: Database, { steps = sqliteSteps, onProgress }: MigrateOptions = {}): void {
  // Of one state: another process may just be making the store.
  const format = db.read(() => knownFormat(db, steps))
  // Counts only while the file is empty; afterwards it has the page size it was made with.
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}`)
  if (format > 0 && hasChanges(steps, format)) {
    migrateAlone(db, steps, format, onProgress)
    return
  }
  setWalMode(db)
  // Who is up to date need not wait for who writes.
  // A file that is only being made has nothing that could be brought up to date.
  if (format < steps.length) db.write(() => runSteps(db, steps, format === 0 ? undefined : onProgress))
  else forgetOldCopies(db)
}

function migrateAlone(
  db: Database,
  steps: readonly SqliteStep[],
  format: number,
  onProgress: OnProgress | undefined,
): void {
  const name = steps.find(({ kind }, index) => index >= format && kind === 'changes')!.name
  leaveWalMode(db, name)
  try {
    const seen = dataVersion(db)
    keepCopy(db, format)
    db.alone(() => {
      // The copy is of another state where somebody came in meanwhile, and programs that found the older format may still
      // have it open where the file has a log again.
      if (journalMode(db) !== 'delete' || dataVersion(db) !== seen) throw new OpenElsewhere(name)
      runSteps(db, steps, onProgress)
    })
  } finally {
    setWalMode(db)
  }
}

/** Within a transaction. */
function runSteps(db: Database, steps: readonly SqliteStep[], onProgress: OnProgress | undefined): void {
  // Looked at again now that the file is ours: another may have been faster.
  for (let done = knownFormat(db, steps); done < steps.length; done++) {
    const { name, run } = steps[done]!
    if (typeof run === 'string') db.exec(run)
    else run(db, (part, of) => onProgress?.({ step: name, done: part, of }))
    const format = done + 1
    noteFormat(db, { format, oldestReader: oldestReader(steps, format, FIRST_FORMAT) }, name)
  }
}

function knownFormat(db: Database, steps: readonly SqliteStep[]): number {
  const { format, oldestReader } = formatOf(db)
  if (oldestReader > steps.length)
    throw new AppError(
      'unavailable',
      `The store was written by a newer Veritas (its format is ${oldestReader}, this one knows ${steps.length}): start that version, or go back with it: npm run store -- put-back.`,
    )
  return format
}

function dataVersion(db: Database): number {
  return Number(db.values('data_version', 'pragma_data_version')[0])
}

function journalMode(db: Database): string {
  return String(db.values('journal_mode', 'pragma_journal_mode')[0])
}

/** SQLite does so only for the one connection that a file has. */
export function leaveWalMode(db: Database, step: string): void {
  try {
    db.atOnce(() => db.exec('PRAGMA journal_mode = DELETE'))
  } catch (error) {
    if (isBusy(error)) throw new OpenElsewhere(step)
    throw error
  }
}

/** SQLite does not wait its busy timeout for this switch, so two processes that start at once may collide. */
function setWalMode(db: Database): void {
  const deadline = Date.now() + SWITCH_TIMEOUT_MS
  for (;;)
    try {
      db.exec('PRAGMA journal_mode = WAL')
      const mode = journalMode(db)
      if (mode === 'wal') return
      throw new AppError('unavailable', `The store cannot be opened: its file system allows no WAL mode (${mode}).`)
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error
      pause(20)
    }
}

/** Of this thread, which has nothing else to do. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
