import { randomUUID } from 'node:crypto'
import { cp, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../errors.ts'
import { namesIn } from '../ingest/wal/files.ts'
import { findLivingOwner } from '../ingest/wal/living-owner.ts'
import { makeFolder } from '../start/folders.ts'
import { restoringMark } from '../start/restoring.ts'
import { archiveFormat, hostOfServer, isEmptyMongo, restoreMongo } from '../store/mongo/archive.ts'
import { inspectSqlite } from '../store/sqlite/snapshot.ts'
import type { BackupManifest } from './manifest.ts'
import { openArchive } from './open-archive.ts'

export interface RestoreParts {
  dataDir: string
  walDir: string
  mongoUrl: string | null
  storePath: string
  /** Puts what is there aside (MongoDB: removes it) instead of refusing. */
  force: boolean
  now: () => number
}

/** What a restore that was killed left is removed by the next. */
const UNPACKED = '.restore-'
/** Files and folders of the data folder that a backup has besides the logs and the store. */
const OF_DATA_DIR = ['session-secret', 'demo.json', 'dead-letters', 'conflicts']
/** Of what is there alone: events of another log are not given up. */
const OF_LOG = 'given-up'

/**
 * Restores a backup. It is unpacked and checked beside the target first; nothing is touched before all of it holds. The
 * store comes last: where it is, everything is. AppError conflict for a target that is in use or not empty, for a
 * backup of the other engine and for one of a newer Veritas; invalid_input for a damaged one.
 */
export async function restoreBackup(
  parts: RestoreParts,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<BackupManifest> {
  try {
    return await restoreInto(parts, content, signal)
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (error instanceof AppError || syscall === undefined) throw error
    throw new AppError('unavailable', `The backup cannot be restored into ${parts.dataDir} (${code}).`, {
      cause: error,
    })
  }
}

async function restoreInto(
  parts: RestoreParts,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<BackupManifest> {
  const { dataDir, walDir, mongoUrl, storePath, force, now } = parts
  await assertStopped(walDir, mongoUrl)
  const there = await presentFiles(parts)
  if (!force) {
    if (there.length > 0) throw notEmpty(there[0]!)
    if (mongoUrl !== null && !(await isEmptyMongo(mongoUrl))) throw notEmpty('the database')
  }
  makeFolder(dataDir)
  for (const name of await namesIn(dataDir))
    if (name.startsWith(UNPACKED)) await rm(join(dataDir, name), { recursive: true })
  const folder = join(dataDir, `${UNPACKED}${randomUUID()}`)
  await mkdir(folder, { mode: 0o700 })
  try {
    const manifest = await openArchive(content, folder, signal)
    assertFits(manifest, mongoUrl)
    if (manifest.engine === 'sqlite')
      assertCounts(manifest, (await inspectSqlite(join(folder, 'store/veritas.db'))).counts)

    await mark(dataDir)
    const aside = join(dataDir, `before-restore-${new Date(now()).toISOString().replaceAll(':', '')}`)
    for (const path of there) await move(path, join(aside, basename(path)))
    for (const name of OF_DATA_DIR) await moveIfThere(join(folder, name), join(dataDir, name))
    await moveIfThere(join(folder, 'wal'), walDir)
    if (mongoUrl !== null) {
      const left = await restoreMongo(
        mongoUrl,
        await storeParts(join(folder, 'store')),
        manifest.unfinished,
        manifest.storeFormat,
      )
      assertCounts(manifest, left)
    } else await move(join(folder, 'store/veritas.db'), storePath)
    await rm(restoringMark(dataDir))
    return manifest
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** From here on until the end no server starts here: it would begin with what is there by then. */
async function mark(dataDir: string): Promise<void> {
  const file = await open(restoringMark(dataDir), 'w', 0o600)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(dataDir)
}

/** What a restore would replace. */
async function presentFiles({ dataDir, walDir, mongoUrl, storePath }: RestoreParts): Promise<string[]> {
  const present: string[] = []
  for (const name of [...OF_DATA_DIR, OF_LOG])
    if ((await namesIn(dataDir)).includes(name)) present.push(join(dataDir, name))
  if ((await namesIn(walDir)).length > 0) present.push(walDir)
  if (mongoUrl === null)
    for (const name of await namesIn(dirname(storePath)))
      if (name.startsWith(basename(storePath))) present.push(join(dirname(storePath), name))
  return present
}

function notEmpty(what: string): AppError {
  return new AppError('conflict', `${what} is there already: restore into an empty place, or use --force.`)
}

/** A server that runs would go on with what it had, and what it accepts meanwhile would be put aside. */
async function assertStopped(walDir: string, mongoUrl: string | null): Promise<void> {
  const owner = await findLivingOwner(walDir)
  if (owner)
    throw new AppError('conflict', `A server runs on ${walDir} (process ${owner.pid ?? 'unknown'}): stop it first.`)
  // One with a data folder of its own.
  const host = mongoUrl === null ? null : await hostOfServer(mongoUrl)
  if (host !== null) throw new AppError('conflict', `A server on ${host} runs on the database: stop it first.`)
}

function assertFits({ engine, storeFormat }: BackupManifest, mongoUrl: string | null): void {
  if ((engine === 'mongo') !== (mongoUrl !== null))
    throw new AppError(
      'conflict',
      engine === 'mongo'
        ? 'The backup is of MongoDB: restore it into mongodb://…'
        : 'The backup is of SQLite: restore it into a data folder or sqlite:PATH. To another engine: npm run migrate.',
    )
  if (engine === 'mongo' && storeFormat > archiveFormat)
    throw new AppError(
      'conflict',
      `The backup is of a newer Veritas (store format ${storeFormat}, this one knows ${archiveFormat}): restore it with that version.`,
    )
}

/** Of MongoDB, rows of unfinished batches are not restored. */
function assertCounts({ counts, unfinished }: BackupManifest, found: Record<string, number>): void {
  for (const [name, rows] of Object.entries(counts)) {
    const restored = found[name] ?? 0
    const mayBeLess = unfinished.length > 0 && (name === 'event_ids' || name.startsWith('events_'))
    if (mayBeLess ? restored > rows : restored !== rows)
      throw new AppError('internal', `The backup has ${rows} rows of ${name}, and ${restored} of them were found.`)
  }
}

async function storeParts(folder: string): Promise<{ collection: string; read(): Promise<Buffer> }[]> {
  const names = (await readdir(folder)).sort()
  return names.map((name) => ({
    collection: /^\d+\.(.+)\.bson$/.exec(name)?.[1] ?? name,
    read: () => readFile(join(folder, name)),
  }))
}

async function moveIfThere(from: string, to: string): Promise<void> {
  if ((await namesIn(dirname(from))).includes(basename(from))) await move(from, to)
}

/** Also to another disk. Survives a power cut. */
async function move(from: string, to: string): Promise<void> {
  makeFolder(dirname(to))
  // An empty folder may stand where one is to go.
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV') throw error
    // Under its own name only when it is whole.
    const copy = `${to}.${randomUUID()}.moving`
    try {
      await cp(from, copy, { recursive: true })
      await syncTree(copy)
      await rename(copy, to)
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
    await rm(from, { recursive: true })
  })
  await syncFolder(dirname(to))
}

async function syncTree(path: string): Promise<void> {
  await syncFolder(path)
  for (const { name, parentPath } of await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []))
    await syncFolder(join(parentPath, name))
}

/** Of a file as well. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
