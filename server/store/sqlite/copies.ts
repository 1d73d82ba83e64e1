import { readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../errors.ts'
import { Database } from './database.ts'

/** Nobody goes back further: what came in since would be missing. */
const KEPT_DAYS = 30
/** What stays free for the log while the step works. */
const SPARE_BYTES = 64 * 2 ** 20

/** A store as it was before a step that changed what it means. */
export interface KeptCopy {
  path: string
  format: number
  bytes: number
  madeAt: number
}

/** The copies beside a store, the newest first. */
export function keptCopies(storePath: string): KeptCopy[] {
  const [folder, start] = [dirname(storePath), `${basename(storePath)}.before-`]
  const copies: KeptCopy[] = []
  for (const name of readdirSync(folder)) {
    const format = name.startsWith(start) ? /^\d+$/.exec(name.slice(start.length))?.[0] : undefined
    if (!format) continue
    const path = join(folder, name)
    const { size, mtimeMs } = statSync(path)
    copies.push({ path, format: Number(format) - 1, bytes: size, madeAt: mtimeMs })
  }
  return copies.sort((a, b) => b.madeAt - a.madeAt)
}

/**
 * Writes a copy of a store of `format` beside it, in the place of every older one. Nobody else may have the store open.
 * AppError unavailable, with nothing changed, where the disk has no room for the copy and the step's own journal.
 */
export function keepCopy(db: Database, format: number): void {
  const storePath = pathOf(db)
  const before = keptCopies(storePath)
  const wanted = 2 * statSync(storePath).size + SPARE_BYTES
  const free = freeBeside(storePath) + before.reduce((sum, { bytes }) => sum + bytes, 0)
  if (free < wanted)
    throw new AppError(
      'unavailable',
      `The store is to be brought to a newer format, of which a copy is kept first: that takes ${mebibytes(wanted)} MiB, and ${mebibytes(free)} MiB are free beside ${storePath}. Make room; until then the release before goes on.`,
    )
  for (const { path } of before) rmSync(path)
  const copy = `${storePath}.before-${format + 1}`
  writeCopy(db, `${copy}.part`)
  renameSync(`${copy}.part`, copy)
}

/**
 * Writes one state of a store to another file, while others go on with it: a release that is tried brings that to its own
 * format. AppError unavailable where there is no room for it.
 */
export async function copyForTrial(storePath: string, copy: string): Promise<void> {
  const wanted = 2 * statSync(storePath).size + SPARE_BYTES
  const free = freeBeside(copy)
  if (free < wanted)
    throw new AppError(
      'unavailable',
      `The release is tried on a copy of the store: that takes ${mebibytes(wanted)} MiB, and ${mebibytes(free)} MiB are free at ${copy}.`,
    )
  const db = await Database.open(storePath)
  try {
    writeCopy(db, copy)
  } finally {
    db.close()
  }
}

function writeCopy(db: Database, copy: string): void {
  rmSync(copy, { force: true })
  db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
}

function freeBeside(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path))
  return bavail * bsize
}

/** Removes the copies that nobody would go back to any more. */
export function forgetOldCopies(db: Database, now = Date.now()): void {
  for (const { path, madeAt } of keptCopies(pathOf(db)))
    if (madeAt < now - KEPT_DAYS * 86_400_000) rmSync(path, { force: true })
}

function pathOf(db: Database): string {
  return String(db.values('file', "pragma_database_list WHERE name = 'main'")[0])
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
