import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** An open file of the log. Positions and sizes in bytes. */
export interface LogFile {
  /** All of the bytes, however short the single writes come out. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** fdatasync: when it resolves, everything written before survives a power cut. */
  sync(): Promise<void>
  /** Fills as much of the buffer as the file has; resolves to the number of bytes. */
  read(buffer: Uint8Array, position: number): Promise<number>
  size(): Promise<number>
  /**
   * Whether it is the file at this path, where it was made: not once that was removed, or went to another file, or the
   * folder was moved away, though a copy be in its place. First to be asked when it was just made.
   */
  isAt(path: string): Promise<boolean>
  close(): Promise<void>
}

/** The file system as the log uses it: a port, so that tests can crash, tear and reorder it. Paths are absolute. */
export interface LogFiles {
  /** create: a new file, an error if it exists. edit: read and write. read: read only. */
  open(path: string, mode: 'create' | 'edit' | 'read'): Promise<LogFile>
  /** Names in a folder, in no particular order. */
  list(folder: string): Promise<string[]>
  makeFolder(folder: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** A second name for a file; EEXIST where the name is taken, of several at once for all but one. */
  link(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Sets the moment a file was last changed to now. */
  touch(path: string): Promise<void>
  /** That moment, epoch ms. */
  touchedAt(path: string): Promise<number>
  /** Makes creations, renames and removals in the folder survive a power cut. */
  syncFolder(folder: string): Promise<void>
  /** Bytes that can still be written to the folder's disk. */
  freeBytes(folder: string): Promise<number>
}

const open = promisify(fs.open)
const close = promisify(fs.close)
const fdatasync = promisify(fs.fdatasync)
const fsync = promisify(fs.fsync)
const fstat = promisify(fs.fstat)
const stat = promisify(fs.stat)

const RETRY_READ_MS = [100, 300, 900]
const KNOWN_BAD_MS = 10_000
const flags = { create: 'wx+', edit: 'r+', read: 'r' } as const

/** The real file system. */
export const diskFiles: LogFiles = {
  async open(path, mode) {
    return openedFile(await open(path, flags[mode], 0o600))
  },
  list: (folder) => fs.promises.readdir(folder),
  async makeFolder(folder) {
    await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 })
  },
  rename: (from, to) => fs.promises.rename(from, to),
  link: (from, to) => fs.promises.link(from, to),
  remove: (path) => fs.promises.unlink(path),
  touch: (path) => fs.promises.utimes(path, new Date(), new Date()),
  touchedAt: async (path) => (await fs.promises.stat(path)).mtimeMs,
  async syncFolder(folder) {
    const fd = await open(folder, 'r')
    try {
      await fsync(fd)
    } finally {
      await close(fd)
    }
  },
  async freeBytes(folder) {
    const { bavail, bsize } = await fs.promises.statfs(folder)
    return bavail * bsize
  },
}

/**
 * A disk that is away for a moment says EIO, as one does that is damaged: only what lasts is told. After it once did,
 * the other bad places of a file are told at once, or a megabyte of them would take minutes.
 */
function patient(read: LogFile['read']): LogFile['read'] {
  let lastedAt = Number.NEGATIVE_INFINITY
  return async (buffer, position) => {
    for (let tries = 0; ; tries++)
      try {
        return await read(buffer, position)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EIO' || performance.now() - lastedAt < KNOWN_BAD_MS) throw error
        const waitMs = RETRY_READ_MS[tries]
        if (waitMs === undefined) {
          lastedAt = performance.now()
          throw error
        }
        await sleep(waitMs)
      }
  }
}

/** Where a file system numbers its files anew whenever they are asked for, a file that has a name is where it was. */
function placeOf(fd: number): LogFile['isAt'] {
  let own: { dev: bigint; ino: bigint } | null = null
  let tells = true
  return async (path) => {
    const isFirst = own === null
    own ??= await fstat(fd, { bigint: true })
    const there = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
      throw error
    })
    const isSame = there !== null && there.dev === own.dev && there.ino === own.ino
    if (isFirst && there && !isSame) tells = false
    return isSame || (!tells && there !== null && (await fstat(fd)).nlink > 0)
  }
}

function openedFile(fd: number): LogFile {
  return {
    // The callback API: a commit happens hundreds of times a second, and promises of file handles cost twice as much.
    write: (bytes, position) =>
      new Promise((resolve, reject) => {
        const writeRest = (done: number) => {
          fs.write(fd, bytes, done, bytes.length - done, position + done, (error, written) => {
            if (error) reject(error)
            else if (done + written >= bytes.length) resolve()
            // Short writes are real: near a full disk or a quota the kernel takes only a part.
            else writeRest(done + written)
          })
        }
        writeRest(0)
      }),
    sync: () => fdatasync(fd),
    read: patient(
      (buffer, position) =>
        new Promise((resolve, reject) => {
          const readRest = (done: number) => {
            fs.read(fd, buffer, done, buffer.length - done, position + done, (error, count) => {
              if (error) reject(error)
              else if (count === 0 || done + count === buffer.length) resolve(done + count)
              else readRest(done + count)
            })
          }
          readRest(0)
        }),
    ),
    size: async () => (await fstat(fd)).size,
    isAt: placeOf(fd),
    close: () => close(fd),
  }
}

/** None for a folder that was never made. */
export async function namesIn(folder: string, files: LogFiles = diskFiles): Promise<string[]> {
  return files.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

/** The same of what has the name of a slot, and may be somebody's file. */
export async function namesInSlot(folder: string, files: LogFiles = diskFiles): Promise<string[]> {
  return namesIn(folder, files).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') return []
    throw error
  })
}
