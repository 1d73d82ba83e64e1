import { join } from 'node:path'
import { type LogFile, type LogFiles, namesIn } from './files.ts'
import { readPages } from './read-pages.ts'
import { decodeBlock, encodeBlock, isZero } from './segment.ts'

/** A place in the log. */
export interface Place {
  epoch: number
  seq: number
  offset: number
}

/** A batch that was handed out and is not known to be stored. */
export interface OpenBatch {
  id: string
  from: Place
  to: Place
  events: number
  bytes: number
  oldestAt: number
}

/** How far the log was handed out, and which batches before that place are still open. */
export interface CheckpointState {
  cursor: Place & {
    /** Of the events of its segment, those that were handed out or lost before it; earlier versions do not tell. */
    taken?: number
  }
  open: OpenBatch[]
  /**
   * Salts of the segments that were there and began before the cursor. One that has such a place and is not among them
   * was never handed out. Checkpoints of earlier versions do not tell.
   */
  known?: number[]
  /** As Wal.latestAt, when it was saved. */
  latestAt?: number | null
}

const NAME = 'checkpoint'
const SLOT_BYTES = 64 * 1024

export interface Checkpoint {
  /** null when nothing was ever handed out. */
  readonly state: CheckpointState | null
  /** Whether a later state may have been there that cannot be read. */
  readonly isOld: boolean
  /** Resolves when the state survives a power cut. */
  save(state: CheckpointState): Promise<void>
  close(): Promise<void>
}

/**
 * The file "checkpoint" of a log folder: two slots written in turn, each with a count and a checksum, so that a crash
 * in the middle of one write leaves the other.
 */
export async function openCheckpoint(files: LogFiles, folder: string): Promise<Checkpoint> {
  const path = join(folder, NAME)
  let file = await openOrCreate(files, folder, path)
  const { newest, isOld } = await readNewest(file)
  let count = newest?.count ?? 0

  /**
   * The file as it should be, in another place of the disk: one that takes no writes takes none later either, and what of
   * a write is there whose sync failed nobody knows.
   */
  async function replace(block: Buffer, at: number): Promise<void> {
    const draft = `${path}.new`
    await files.remove(draft).catch(() => {})
    const made = await files.open(draft, 'create')
    try {
      await made.write(Buffer.alloc(2 * SLOT_BYTES), 0)
      await made.write(block, at)
      await made.sync()
      await files.rename(draft, path)
    } catch (error) {
      await made.close()
      await files.remove(draft).catch(() => {})
      throw error
    }
    const old = file
    file = made
    await old.close().catch(() => {})
    await files.syncFolder(folder)
  }

  return {
    state: newest?.state ?? null,
    isOld,
    async save(state) {
      const next = count + 1
      const block = encodeBlock({ count: next, state })
      const at = (next % 2) * SLOT_BYTES
      try {
        await file.write(block, at)
        await file.sync()
      } catch (error) {
        await replace(block, at).catch(() => {
          throw error
        })
      }
      // A save that failed is written over by the next one, never the last that did not.
      count = next
    },
    close: () => file.close(),
  }
}

/** What the file says, without making one; null where there is none or it says nothing. */
export async function readCheckpoint(files: LogFiles, folder: string): Promise<CheckpointState | null> {
  if (!(await namesIn(folder, files)).includes(NAME)) return null
  const file = await files.open(join(folder, NAME), 'read')
  try {
    return (await readNewest(file)).newest?.state ?? null
  } finally {
    await file.close()
  }
}

type Saved = { count: number; state: CheckpointState }

async function readNewest(file: LogFile): Promise<{ newest: Saved | null; isOld: boolean }> {
  const buffer = Buffer.alloc(2 * SLOT_BYTES)
  await readPages(file, buffer, 0)
  let newest: Saved | null = null
  let isOld = false
  for (const at of [0, SLOT_BYTES]) {
    const saved = decodeBlock<Saved>(buffer, at)
    if (saved && (!newest || saved.count > newest.count)) newest = saved
    isOld ||= !saved && !isZero(buffer.subarray(at, at + SLOT_BYTES))
  }
  return { newest, isOld }
}

async function openOrCreate(files: LogFiles, folder: string, path: string): Promise<LogFile> {
  if ((await files.list(folder)).includes(NAME)) return files.open(path, 'edit')
  const file = await files.open(path, 'create')
  await file.write(Buffer.alloc(2 * SLOT_BYTES), 0)
  await file.sync()
  await files.syncFolder(folder)
  return file
}
