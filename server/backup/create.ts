import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../errors.ts'
import { measured, once, zipped } from '../export/content.ts'
import type { Destination } from '../export/destination.ts'
import { type Owner, ownerState, processFacts } from '../ingest/wal/owner.ts'
import { archiveFormat, archiveMongo } from '../store/mongo/archive.ts'
import { copySqlite } from '../store/sqlite/snapshot.ts'
import { logEntries } from './log-files.ts'
import { BACKUP_FORMAT, type BackupManifest, MANIFEST } from './manifest.ts'
import { type Entry, fits, writeTar } from './tar.ts'

export interface BackupParts {
  dataDir: string
  walDir: string
  /** null for SQLite, whose file is at storePath. */
  mongoUrl: string | null
  storePath: string
  version: string
  now: () => number
}

/** Small files of the data folder. */
const KEPT_FILES = ['session-secret', 'demo.json']
const COPIES = '.backup-'
/** In the folder of a copy: which process makes it. */
const OWNER = 'owner.json'
/** Left to the server while the store is copied. */
const SPARE_BYTES = 64 * 2 ** 20

/**
 * Writes everything that was promised before this call into one file: what waits in the logs first, then the dead
 * letters and the list of conflicts, then the store, so that an event on its way from the one to the other is in at least one of them; a restored
 * server stores what is in both once. The manifest is the last in it.
 */
export async function createBackup(
  parts: BackupParts,
  { destination, key, signal }: { destination: Destination; key: string; signal: AbortSignal },
): Promise<BackupManifest> {
  let manifest: BackupManifest | undefined
  await removeOldCopies(parts)
  async function* entries(): AsyncGenerator<Entry> {
    const begunAt = new Date(parts.now()).toISOString()
    const files: BackupManifest['files'] = []
    const noted = (entry: Entry): Entry => ({
      ...entry,
      content: measured(asAsync(entry.content), ({ bytes, sha256 }) => {
        signal.throwIfAborted()
        files.push({ name: entry.name, bytes, sha256 })
      }),
    })
    for await (const entry of logEntries(parts.walDir)) yield noted(entry)
    for await (const entry of letterEntries(join(parts.dataDir, 'dead-letters'))) yield noted(entry)
    for await (const entry of conflictEntries(join(parts.dataDir, 'conflicts'))) yield noted(entry)
    for (const name of KEPT_FILES) {
      const content = await readOrNull(join(parts.dataDir, name))
      if (content) yield noted({ name, bytes: content.length, content: [content] })
    }
    const facts: StoreFacts = { format: 0, counts: {}, unfinished: [] }
    const { mongoUrl } = parts
    const store = mongoUrl === null ? sqliteEntries(parts, facts) : mongoEntries(mongoUrl, facts)
    for await (const entry of store) yield noted(entry)
    manifest = {
      format: BACKUP_FORMAT,
      engine: mongoUrl === null ? 'sqlite' : 'mongo',
      storeFormat: facts.format,
      version: parts.version,
      begunAt,
      finishedAt: new Date(parts.now()).toISOString(),
      counts: facts.counts,
      unfinished: facts.unfinished,
      files,
    }
    const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
    yield { name: MANIFEST, bytes: text.length, content: once(text) }
  }
  await destination.write(key, zipped(writeTar(entries())), signal)
  if (!manifest) throw new Error('the backup has no manifest')
  return manifest
}

/** What is known of the store once all of it was read. */
interface StoreFacts {
  format: number
  counts: Record<string, number>
  unfinished: string[]
}

async function* sqliteEntries({ storePath }: BackupParts, facts: StoreFacts): AsyncGenerator<Entry> {
  await assertRoom(storePath)
  const folder = join(dirname(storePath), `${COPIES}${process.pid}-${randomUUID()}`)
  await mkdir(folder, { mode: 0o700 })
  try {
    await writeFile(join(folder, OWNER), JSON.stringify(processFacts.self()))
    const copy = join(folder, 'veritas.db')
    Object.assign(facts, await copySqlite(storePath, copy))
    yield { name: 'store/veritas.db', bytes: (await stat(copy)).size, content: createReadStream(copy) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* mongoEntries(url: string, facts: StoreFacts): AsyncGenerator<Entry> {
  facts.format = archiveFormat
  let number = 0
  for await (const { collection, rows, bytes } of archiveMongo(url, facts)) {
    facts.counts[collection] = (facts.counts[collection] ?? 0) + rows
    number += 1
    const name = `store/${String(number).padStart(6, '0')}.${collection}.bson`
    yield { name, bytes: bytes.length, content: once(bytes) }
  }
}

async function* letterEntries(folder: string): AsyncGenerator<Entry> {
  for (const name of (await namesOf(folder)).sort()) {
    if (!name.endsWith('.json')) continue
    const content = await readOrNull(join(folder, name))
    if (content) yield { name: letterName(name), bytes: content.length, content: once(content) }
  }
}

/** A copy that somebody made of a letter may have any name. One that is too long for an archive gets another. */
function letterName(name: string): string {
  const own = `dead-letters/${name}`
  return fits(own) ? own : `dead-letters/${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`
}

/** The last (conflicts) before the ones before (conflicts-before): what moves meanwhile is in it twice, and not missing. */
async function* conflictEntries(folder: string): AsyncGenerator<Entry> {
  for (const name of (await namesOf(folder)).sort().reverse()) {
    if (!name.endsWith('.jsonl')) continue
    const content = await readOrNull(join(folder, name))
    // It may just be written to.
    const lines = content?.subarray(0, content.lastIndexOf('\n') + 1)
    if (lines && lines.length > 0) yield { name: `conflicts/${name}`, bytes: lines.length, content: once(lines) }
  }
}

/** A disk that the copy fills up would stop the server for as long. The largest a copy can be is the store itself. */
async function assertRoom(storePath: string): Promise<void> {
  const folder = dirname(storePath)
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const needed = (await stat(storePath)).size + SPARE_BYTES
  if (free < needed)
    throw new AppError(
      'unavailable',
      `A backup copies the store first, beside it: that takes up to ${inMib(needed)} and ${folder} has ${inMib(free)} left. Make the disk larger, or keep events for less long (RETENTION_MONTHS).`,
    )
}

function inMib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}

/**
 * Copies that a killed backup left. One that runs may have lost its turn, since copying holds up the thread that would
 * keep it; its copy is still its own.
 */
async function removeOldCopies({ storePath, mongoUrl }: BackupParts): Promise<void> {
  if (mongoUrl !== null) return
  for (const name of await namesOf(dirname(storePath))) {
    const folder = join(dirname(storePath), name)
    if (name.startsWith(COPIES) && !(await isInUse(folder))) await rm(folder, { recursive: true, force: true })
  }
}

async function isInUse(folder: string): Promise<boolean> {
  const text = (await readOrNull(join(folder, OWNER)))?.toString('utf8') ?? ''
  try {
    return ownerState(JSON.parse(text) as Owner, processFacts) === 'alive'
  } catch {
    return false
  }
}

function namesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

/** null for a file that is gone, as a replayed letter is, and for a folder. */
function readOrNull(path: string): Promise<Buffer | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return null
    throw error
  })
}

async function* asAsync(content: Entry['content']): AsyncGenerator<Uint8Array> {
  yield* content
}
