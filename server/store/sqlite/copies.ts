import { readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { Database } from './database.ts'

/** Nobody goes back further: what came in since would be missing. */
const KEPT_DAYS = 30
/** What stays free for the log while the step works. */
const SPARE_BYTES = 64 * 2 ** 20

/** A store as it was before a step that changed what it means. */
interface KeptCopy {
  path: string
  format: number
  bytes: number
  madeAt: number
}

/** The copies beside a store, the newest first. */
function keptCopies(storePath: string): KeptCopy[] {
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
  const { bavail, bsize } = statfsSync(dirname(storePath))
  const { size } = statSync(storePath)
  const wanted = 2 * size + SPARE_BYTES
  const free = bavail * bsize + before.reduce((sum, { bytes }) => sum + bytes, 0)
  if (free < wanted)
    throw new AppError(
      'unavailable',
      `The store is to be brought to a newer format, of which a copy is kept first: that takes ${mebibytes(wanted)} MiB, and ${mebibytes(free)} MiB are free beside ${storePath}. Make room; until then the release before goes on.`,
    )
  for (const { path } of before) rmSync(path)
  const copy = `${storePath}.before-${format + 1}`
  rmSync(`${copy}.part`, { force: true })
  db.exec(`VACUUM INTO '${`${copy}.part`.replaceAll("'", "''")}'`)
  renameSync(`${copy}.part`, copy)
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
