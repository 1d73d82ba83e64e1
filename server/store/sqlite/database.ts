import { AppError } from '../../errors.ts'
import type { Reins } from './reins.ts'

export type SqlValue = null | number | bigint | string | Uint8Array

/** The part of the DatabaseSync API that this engine uses. */
export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  get(...values: SqlValue[]): unknown
  all(...values: SqlValue[]): unknown[]
  iterate(...values: SqlValue[]): IterableIterator<unknown>
}

interface DatabaseSync {
  exec(sql: string): void
  function(name: string, found: (...values: SqlValue[]) => SqlValue): void
  prepare(sql: string): Statement
  close(): void
}

type DatabaseSyncClass = new (path: string) => DatabaseSync

/** node:sqlite where this Node has it (22.13 and later), else the package with the same API. */
async function databaseSync(): Promise<DatabaseSyncClass> {
  const builtin = process.getBuiltinModule?.('node:sqlite') as { DatabaseSync: DatabaseSyncClass } | undefined
  if (builtin) return builtin.DatabaseSync
  const { DatabaseSync } = await import('@photostructure/sqlite')
  return DatabaseSync as unknown as DatabaseSyncClass
}

const BUSY_TIMEOUT_MS = 10_000
const ROWS_BETWEEN_LOOKS = 64

/** One connection with its prepared statements. Rows come as plain objects of column names. */
export class Database {
  readonly #db: DatabaseSync
  #isWithin = false
  readonly #statements = new Map<string, Statement>()
  #deadline = Number.POSITIVE_INFINITY
  #late: AppError | null = null
  #reins: Reins | null = null

  constructor(db: DatabaseSync) {
    this.#db = db
    db.function('in_time', () => {
      this.#assertInTime()
      return 1
    })
  }

  static async open(path: string): Promise<Database> {
    const DatabaseSync = await databaseSync()
    const database = new Database(new DatabaseSync(path))
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return database
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /**
   * Work that is given up after so long: between two statements, and within those that call `in_time()` (see inTime).
   * The thread lives on; nothing else can stop a statement. AppError unavailable.
   */
  within<Result>(timeoutMs: number, work: () => Result): Result {
    this.#deadline = performance.now() + timeoutMs
    try {
      return work()
    } catch (error) {
      // A function's error comes out of a statement as another one.
      throw this.#late ?? error
    } finally {
      this.#deadline = Number.POSITIVE_INFINITY
      this.#late = null
    }
  }

  /** From now on work is left, as late work is, when the reins are pulled. */
  heed(reins: Reins): void {
    this.#reins = reins
  }

  #assertInTime(): void {
    if (this.#reins?.isPulled) this.#late ??= new AppError('unavailable', 'The store is closed.')
    else if (performance.now() < this.#deadline) return
    this.#late ??= new AppError('unavailable', 'The store took too long to answer; ask for less at once.')
    throw this.#late
  }

  prepare(sql: string): Statement {
    this.#assertInTime()
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.prepare(sql).all(...values) as Row[]
  }

  /** Rows one by one; leaving the loop early is fine. */
  *each<Row>(sql: string, ...values: SqlValue[]): IterableIterator<Row> {
    let rows = 0
    for (const row of this.prepare(sql).iterate(...values)) {
      rows += 1
      if (rows % ROWS_BETWEEN_LOOKS === 0) this.#assertInTime()
      yield row as Row
    }
  }

  /**
   * The values of an expression, one for each row, without a prepared statement: with the package one keeps the file open
   * after `close`, until it is collected or its thread ends.
   */
  values(expression: string, from: string): SqlValue[] {
    const values: SqlValue[] = []
    this.#db.function('found', (value) => {
      values.push(value)
      return null
    })
    this.exec(`SELECT found(${expression}) FROM ${from}`)
    return values
  }

  /** The number of rows changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.prepare(sql).run(...values).changes)
  }

  /** All of `work` or nothing; nobody else writes meanwhile. */
  write<Result>(work: () => Result): Result {
    return this.#within('BEGIN IMMEDIATE', work)
  }

  /** All of `work` or nothing; in a file without a log nobody else even reads meanwhile. */
  alone<Result>(work: () => Result): Result {
    return this.#within('BEGIN EXCLUSIVE', work)
  }

  /** `work` fails at once with what would else be waited for. */
  atOnce<Result>(work: () => Result): Result {
    this.exec('PRAGMA busy_timeout = 0')
    try {
      return work()
    } finally {
      this.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    }
  }

  /** Every statement of `work` sees the same state of the store: that of the transaction it is in, or one of its own. */
  read<Result>(work: () => Result): Result {
    return this.#isWithin ? work() : this.#within('BEGIN', work)
  }

  #within<Result>(begin: string, work: () => Result): Result {
    this.exec(begin)
    this.#isWithin = true
    try {
      const result = work()
      this.exec('COMMIT')
      return result
    } catch (error) {
      try {
        this.exec('ROLLBACK')
      } catch {
        // SQLite has already rolled back (full disk, I/O error); the first error says why.
      }
      throw error
    } finally {
      this.#isWithin = false
    }
  }

  /** Of a thread that lives on, only one without prepared statements lets go of its file: see `values`. */
  close(): void {
    this.#statements.clear()
    this.#db.close()
  }
}

/** Whether another connection is in the way. */
export function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5
  )
}

/**
 * A condition that always holds, for statements that may look at very many rows: asks by every 64th of them, by this
 * number of theirs, whether there is time left.
 */
export function inTime(rowNumber: string): string {
  return `((${rowNumber} & 63) <> 0 OR in_time())`
}

/** An error of SQLite as one that the house knows: what the operator can do is in the message. */
export function storeError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  // Extended codes carry the primary one in their low byte.
  const code = 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & 0xff : undefined
  const text = code === undefined ? undefined : failures[code]
  if (text) return new AppError('unavailable', text, { cause })
  return new AppError('internal', `The store failed: ${cause.message}`, { cause })
}

/** By SQLite's result code: trouble of the store as a whole, which no event is to blame for. */
const failures: Record<number, string> = {
  3: 'The store cannot be written: the system does not permit it.',
  5: 'The store is busy: another process has been writing to it for too long.',
  6: 'The store is busy: another process has been writing to it for too long.',
  7: 'The store has no memory left to work with.',
  8: 'The store cannot be written: its file or folder is read-only.',
  10: 'The store cannot be read or written: the disk reports an error.',
  11: 'The store is damaged: its file is not a sound SQLite database.',
  13: 'The store cannot be written: the disk is full.',
  14: 'The store cannot be opened: its folder is missing or not accessible.',
  15: 'The store is busy: its lock could not be had.',
  26: 'The store cannot be opened: its file is not a SQLite database.',
}
