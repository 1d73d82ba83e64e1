import { basename, dirname } from 'node:path'
import type { LogFile, LogFiles } from './files.ts'

/**
 * A disk for tests that behaves as badly as disks may: what was not synced survives a killed process, but after a power
 * cut any part of it may be missing, torn at sectors or applied out of order; names count only once their folder is
 * synced. It can stop the process at any single operation.
 */
export interface SimulatedDisk extends LogFiles {
  /** Operations that change something, so far. */
  readonly operations: number
  /** From this operation on nothing answers any more; the operation itself happens or not. */
  stopAt(operation: number, when: 'before' | 'after'): void
  /** Resolves when the disk has stopped. */
  readonly stopped: Promise<void>
  /** The same disk after the process was killed: everything written is there. */
  afterKill(): SimulatedDisk
  /** The same disk after a power cut; `random` decides what of the unsynced writes is there. */
  afterPowerLoss(random: () => number): SimulatedDisk
  /** Makes the next matching operations fail with this error code. */
  failNext(operation: 'write' | 'sync' | 'create', code: string, times?: number): void
  /** How many of these operations are still to fail. */
  failuresLeft(): number
  /** Changes bytes of a file behind everybody's back. */
  damage(path: string, change: (bytes: Buffer) => Buffer): void
  /** The page of 4096 bytes around this place cannot be read until it is written to. */
  makeUnreadable(path: string, position: number): void
  paths(): string[]
  /** All of a file as it is now. */
  bytesOf(path: string): Buffer
}

const SECTOR = 512
const PAGE = 4096

interface Inode {
  bytes: Buffer
  synced: Buffer
  writes: { position: number; bytes: Buffer }[]
  touchedAt: number
  /** Numbers of pages of 4096 bytes that give EIO until they are written to. */
  unreadable: Set<number>
}

interface Folder {
  names: Map<string, Inode>
  synced: Map<string, Inode>
  changes: { name: string; inode: Inode | null }[]
  /** Whether its own name survives a power cut: the folder above was synced since. */
  isKept: boolean
}

type Folders = Map<string, Folder>

export function createSimulatedDisk(folders: Folders = new Map()): SimulatedDisk {
  let operations = 0
  let stop: { at: number; when: 'before' | 'after' } | null = null
  let isStopped = false
  let tellStopped = () => {}
  const stopped = new Promise<void>((resolve) => {
    tellStopped = resolve
  })
  const failures: { operation: string; code: string; times: number }[] = []
  const never = new Promise<never>(() => {})

  function halt(): Promise<never> {
    isStopped = true
    tellStopped()
    return never
  }

  /** Runs one change unless the process is stopped before it; never returns when it is stopped by it. */
  async function change<T>(kind: string, apply: () => T): Promise<T> {
    // A real disk takes a turn of the loop, in which others get on.
    await new Promise((resolve) => setImmediate(resolve))
    if (isStopped) return never
    const number = operations++
    if (stop && number === stop.at && stop.when === 'before') return halt()
    const failure = failures.find((f) => f.operation === kind && f.times > 0)
    if (failure) {
      failure.times--
      throw failed(failure.code)
    }
    const result = apply()
    if (stop && number === stop.at && stop.when === 'after') return halt()
    return result
  }

  async function read<T>(apply: () => T): Promise<T> {
    return isStopped ? never : apply()
  }

  function folderOf(path: string): Folder {
    const folder = folders.get(dirname(path))
    if (!folder) throw Object.assign(new Error(`no folder for ${path}`), { code: 'ENOENT' })
    return folder
  }

  function inodeOf(path: string): Inode {
    const inode = folderOf(path).names.get(basename(path))
    if (!inode) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' })
    return inode
  }

  function setName(path: string, inode: Inode | null): void {
    const folder = folderOf(path)
    if (inode) folder.names.set(basename(path), inode)
    else folder.names.delete(basename(path))
    folder.changes.push({ name: basename(path), inode })
  }

  /** Of files and of folders. */
  function namesIn(folder: string): string[] {
    const below = [...folders.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path))
    const names = folders.get(folder)?.names
    if (!names && below.length === 0) throw Object.assign(new Error(`no folder ${folder}`), { code: 'ENOENT' })
    return [...(names?.keys() ?? []), ...below]
  }

  function opened(inode: Inode): LogFile {
    return {
      write: (bytes, position) =>
        change('write', () => {
          const copy = Buffer.from(bytes)
          inode.touchedAt = Date.now()
          for (const page of pagesOf(position, copy.length)) inode.unreadable.delete(page)
          inode.bytes = overwrite(inode.bytes, copy, position)
          inode.writes.push({ position, bytes: copy })
        }),
      sync: () =>
        change('sync', () => {
          inode.synced = Buffer.from(inode.bytes)
          inode.writes = []
        }),
      read: (buffer, position) =>
        read(() => {
          if (pagesOf(position, buffer.length).some((page) => inode.unreadable.has(page))) throw failed('EIO')
          return position < inode.bytes.length ? inode.bytes.copy(buffer, 0, position) : 0
        }),
      size: () => read(() => inode.bytes.length),
      isAt: (path) => read(() => folders.get(dirname(path))?.names.get(basename(path)) === inode),
      close: () => read(() => {}),
    }
  }

  return {
    get operations() {
      return operations
    },
    stopped,
    stopAt(at, when) {
      stop = { at, when }
    },
    failNext(operation, code, times = 1) {
      failures.push({ operation, code, times })
    },
    failuresLeft: () => failures.reduce((sum, { times }) => sum + times, 0),
    open(path, mode) {
      if (mode !== 'create') return read(() => opened(inodeOf(path)))
      return change('create', () => {
        if (folderOf(path).names.has(basename(path))) throw Object.assign(new Error('exists'), { code: 'EEXIST' })
        const inode: Inode = {
          bytes: Buffer.alloc(0),
          synced: Buffer.alloc(0),
          writes: [],
          touchedAt: Date.now(),
          unreadable: new Set(),
        }
        setName(path, inode)
        return opened(inode)
      })
    },
    list: (folder) => read(() => namesIn(folder)),
    makeFolder: (folder) =>
      change('folder', () => {
        if (folders.has(folder)) return
        folders.set(folder, { names: new Map(), synced: new Map(), changes: [], isKept: false })
      }),
    link: (from, to) =>
      change('link', () => {
        const inode = inodeOf(from)
        if (folderOf(to).names.has(basename(to))) throw Object.assign(new Error('exists'), { code: 'EEXIST' })
        setName(to, inode)
      }),
    touch: (path) =>
      change('touch', () => {
        inodeOf(path).touchedAt = Date.now()
      }),
    touchedAt: (path) => read(() => inodeOf(path).touchedAt),
    rename: (from, to) =>
      change('rename', () => {
        const inode = inodeOf(from)
        setName(from, null)
        setName(to, inode)
      }),
    remove: (path) =>
      change('remove', () => {
        inodeOf(path)
        setName(path, null)
      }),
    syncFolder: (path) =>
      change('sync', () => {
        for (const [below, folder] of folders) if (dirname(below) === path) folder.isKept = true
        const folder = folders.get(path)
        if (!folder) return
        folder.synced = new Map(folder.names)
        folder.changes = []
      }),
    freeBytes: () => read(() => 1e12),
    damage(path, alter) {
      const inode = inodeOf(path)
      inode.bytes = alter(Buffer.from(inode.bytes))
      inode.synced = Buffer.from(inode.bytes)
      inode.writes = []
    },
    makeUnreadable: (path, position) => void inodeOf(path).unreadable.add(Math.floor(position / PAGE)),
    bytesOf: (path) => Buffer.from(inodeOf(path).bytes),
    paths: () => [...folders].flatMap(([folder, { names }]) => [...names.keys()].map((name) => `${folder}/${name}`)),
    afterKill: () =>
      createSimulatedDisk(
        copyFolders(
          folders,
          (inode) => inode.bytes,
          (folder) => folder.names,
          () => true,
        ),
      ),
    afterPowerLoss: (random) =>
      createSimulatedDisk(
        copyFolders(
          folders,
          (inode) => inode.writes.reduce((bytes, write) => tear(bytes, write, random), inode.synced),
          (folder) => {
            const names = new Map(folder.synced)
            for (const { name, inode } of folder.changes) {
              if (random() < 0.5) continue
              if (inode) names.set(name, inode)
              else names.delete(name)
            }
            return names
          },
          // A folder without a name takes with it what is in it.
          (folder) => folder.isKept || random() < 0.5,
        ),
      ),
  }
}

function failed(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code })
}

function pagesOf(position: number, length: number): number[] {
  const first = Math.floor(position / PAGE)
  const last = Math.floor((position + Math.max(1, length) - 1) / PAGE)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function copyFolders(
  folders: Folders,
  bytesOf: (inode: Inode) => Buffer,
  namesOf: (folder: Folder) => Map<string, Inode>,
  isThere: (folder: Folder) => boolean,
): Folders {
  const copies = new Map<Inode, Inode>()
  const copy = (inode: Inode) => {
    let made = copies.get(inode)
    if (!made) {
      const bytes = Buffer.from(bytesOf(inode))
      const { touchedAt, unreadable } = inode
      made = { bytes, synced: Buffer.from(bytes), writes: [], touchedAt, unreadable: new Set(unreadable) }
      copies.set(inode, made)
    }
    return made
  }
  return new Map(
    [...folders]
      .filter(([, folder]) => isThere(folder))
      .map(([path, folder]) => {
        const names = new Map([...namesOf(folder)].map(([name, inode]) => [name, copy(inode)]))
        return [path, { names, synced: new Map(names), changes: [], isKept: true }]
      }),
  )
}

function overwrite(bytes: Buffer, part: Buffer, position: number): Buffer {
  const grown = Buffer.alloc(Math.max(bytes.length, position + part.length))
  bytes.copy(grown)
  part.copy(grown, position)
  return grown
}

/** An unsynced write after a power cut: whole, missing, or only some of its sectors. */
function tear(bytes: Buffer, write: { position: number; bytes: Buffer }, random: () => number): Buffer {
  const fate = random()
  if (fate < 0.35) return overwrite(bytes, write.bytes, write.position)
  if (fate < 0.7) return bytes
  let result = bytes
  for (let at = 0; at < write.bytes.length; ) {
    const size = Math.min(write.bytes.length - at, SECTOR - ((write.position + at) % SECTOR))
    if (random() < 0.5) result = overwrite(result, write.bytes.subarray(at, at + size), write.position + at)
    at += size
  }
  return result
}
