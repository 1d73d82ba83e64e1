import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { readCheckpoint } from './checkpoint.ts'
import { diskFiles, type LogFile, type LogFiles, namesIn } from './files.ts'
import { type Owner, ownerState, type ProcessFacts, processFacts } from './owner.ts'

/** A folder of the log that this process alone may read and write. */
export interface Slot {
  number: number
  folder: string
  /** Larger than that of every earlier owner and of everything in the folder: the segments of this one sort last. */
  epoch: number
  /**
   * Whether the folder is still this process's own. To be asked after something was written and before anybody is told
   * of it: where it says yes, whoever takes the folder over later sees what was written.
   */
  isHeld(): Promise<boolean>
  /** Gives the slot up; its folder can be claimed at once. */
  release(): Promise<void>
}

export interface Slots {
  /** Takes a slot whose owner is gone, or a new one, if `wanted` says yes to its folder, which may not exist yet. Null when there is none. */
  claim(wanted: (folder: string) => Promise<boolean>): Promise<Slot | null>
  close(): Promise<void>
}

export interface SlotsOptions {
  /** The folder that holds the slots, as 0, 1, 2 … */
  dir: string
  files?: LogFiles
  facts?: ProcessFacts
  /** Somebody else took a slot of ours, as can happen to a process that was frozen: it must stop at once. */
  onLost: (folder: string) => void
  heartbeatMs?: number
  /** An owner that cannot be looked at (another container) is gone after this long without a heartbeat. */
  silentMs?: number
}

interface Held {
  folder: string
  epoch: number
  /** Open as long as the slot is held: it is no more where it was made once somebody removed, replaced or moved it. */
  lock: LogFile
  /** When it was last certain that no later lock is there. */
  confirmed: Moment
}

/** By both clocks: one stands still while the machine sleeps, the other is set. */
interface Moment {
  monotonic: number
  wall: number
}

/** No live owner of a slot is silent for so long. */
export const SILENT_MS = 20_000
/** How many more than there are may be tried for a new one, since others may take some at the same time. */
const MORE_SLOTS = 64
export const LOCK = /^lock-(\d+)$/
/** Segments, also those that were kept aside: their names begin with their owner's epoch. */
const SEGMENT = /^(\d+)-\d+\.seg/

/**
 * Ownership by files lock-1, lock-2 …: the highest is in force. Whoever takes over a dead owner's slot creates a higher
 * number, which only one can, and then removes the lower ones. An owner knows by its own lock, which it keeps open, that
 * it was replaced: also when it was suspended, and when somebody removed its lock.
 */
export function createSlots({
  dir,
  files = diskFiles,
  facts = processFacts,
  onLost,
  heartbeatMs = 5000,
  silentMs = SILENT_MS,
}: SlotsOptions): Slots {
  const held = new Map<number, Held>()
  const heartbeats = new Map<string, { touchedAt: number; since: number }>()
  const timer = setInterval(() => void beat(), heartbeatMs)
  timer.unref()

  async function beat(): Promise<void> {
    for (const [number, slot] of held) if (await confirm(number, slot)) await files.touch(lockOf(slot)).catch(() => {})
  }

  /** Looks at the folder itself. */
  async function confirm(number: number, slot: Held): Promise<boolean> {
    const now = moment()
    const newest = await newestLock(slot.folder).catch(() => slot.epoch)
    if (held.get(number) !== slot) return false
    if (newest !== slot.epoch || !(await isInPlace(slot))) return lose(number, slot)
    slot.confirmed = now
    return true
  }

  async function isHeld(number: number, slot: Held): Promise<boolean> {
    if (held.get(number) !== slot) return false
    if (!(await isInPlace(slot))) return lose(number, slot)
    // On a disk far away the lock may look as it was: after a while without a heartbeat only the folder says who holds it.
    return msSince(slot.confirmed) < silentMs / 2 || confirm(number, slot)
  }

  function lose(number: number, slot: Held): false {
    if (held.get(number) === slot) {
      held.delete(number)
      onLost(slot.folder)
    }
    return false
  }

  async function claim(wanted: (folder: string) => Promise<boolean>): Promise<Slot | null> {
    if ((await namesIn(dir, files)).length === 0) await files.makeFolder(dir)
    const end = (await namesIn(dir, files)).length + MORE_SLOTS
    for (let number = 0; number < end; number++) {
      if (held.has(number)) continue
      const folder = join(dir, String(number))
      const newest = await newestLock(folder)
      if (newest !== null && !(await isGone(folder, newest))) continue
      if (!(await wanted(folder))) continue
      await files.makeFolder(folder)
      // What is answered to be safe is in a folder that is there after a power cut.
      await files.syncFolder(dir)
      const epoch = 1 + Math.max(await newestUse(folder), newest ?? 0)
      // Whoever took it meanwhile and wrote more into it has a lock there by now.
      if ((await newestLock(folder)) !== newest) continue
      const lock = await createLock(folder, epoch)
      if (!lock) continue
      const slot: Held = { folder, epoch, lock, confirmed: moment() }
      await isInPlace(slot)
      held.set(number, slot)
      await removeOldLocks(folder, epoch)
      return { number, folder, epoch, isHeld: () => isHeld(number, slot), release: () => release(number) }
    }
    return null
  }

  async function newestLock(folder: string): Promise<number | null> {
    const epochs = (await namesIn(folder, files)).map((name) => LOCK.exec(name)?.[1]).filter((epoch) => epoch)
    return epochs.length === 0 ? null : Math.max(...epochs.map(Number))
  }

  /** The last epoch that anything but a lock tells of: a restored log has no locks, and locks can be removed. */
  async function newestUse(folder: string): Promise<number> {
    const segments = (await namesIn(folder, files)).map((name) => Number(SEGMENT.exec(name)?.[1] ?? 0))
    const checkpoint = await readCheckpoint(files, folder)
    return Math.max(0, checkpoint?.cursor.epoch ?? 0, ...segments)
  }

  async function isGone(folder: string, epoch: number): Promise<boolean> {
    const path = join(folder, `lock-${epoch}`)
    const owner = await readOwner(files, path)
    if (owner === 'released') return true
    const state = owner === null ? 'unknown' : ownerState(owner, facts)
    if (state !== 'unknown') return state === 'dead'
    // Nothing certain can be known: wait for as long a silence as no live owner keeps, by our own clock.
    const touchedAt = await files.touchedAt(path).catch(() => null)
    if (touchedAt === null) return false
    const seen = heartbeats.get(path)
    if (seen?.touchedAt !== touchedAt) {
      heartbeats.set(path, { touchedAt, since: performance.now() })
      return false
    }
    return performance.now() - seen.since > silentMs
  }

  /** Null when the number is taken. */
  async function createLock(folder: string, epoch: number): Promise<LogFile | null> {
    const draft = join(folder, `draft-${randomUUID()}`)
    const file = await files.open(draft, 'create')
    let isOurs = false
    try {
      await file.write(Buffer.from(JSON.stringify(facts.self())), 0)
      // A link exists with its whole content or not at all, and only one of several makes it.
      await files.link(draft, join(folder, `lock-${epoch}`))
      isOurs = true
      return file
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null
      throw error
    } finally {
      await files.remove(draft).catch(() => {})
      if (!isOurs) await file.close()
    }
  }

  async function removeOldLocks(folder: string, epoch: number): Promise<void> {
    for (const name of await files.list(folder)) {
      const old = LOCK.exec(name)?.[1]
      if (old !== undefined && Number(old) < epoch) await files.remove(join(folder, name)).catch(() => {})
    }
  }

  async function release(number: number): Promise<void> {
    const slot = held.get(number)
    if (!slot) return
    held.delete(number)
    await slot.lock.close()
    const path = lockOf(slot)
    const draft = `${path}.released`
    await files.remove(draft).catch(() => {})
    const file = await files.open(draft, 'create')
    await file.write(Buffer.from('{"released":true}'), 0).finally(() => file.close())
    await files.rename(draft, path)
  }

  return {
    claim,
    async close() {
      clearInterval(timer)
      for (const number of [...held.keys()]) await release(number)
    },
  }
}

function lockOf({ folder, epoch }: Held): string {
  return join(folder, `lock-${epoch}`)
}

/** What cannot be asked now is as it was, unless the disk far away says that the file is gone. */
function isInPlace(slot: Held): Promise<boolean> {
  return slot.lock.isAt(lockOf(slot)).catch((error: NodeJS.ErrnoException) => error.code !== 'ESTALE')
}

function moment(): Moment {
  return { monotonic: performance.now(), wall: Date.now() }
}

function msSince({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall)
}

/** Who a lock says holds its slot. Null when it cannot be read as one, as after a power cut. */
export async function readOwner(files: LogFiles, path: string): Promise<Owner | 'released' | null> {
  try {
    const content = JSON.parse(await readText(files, path)) as Owner | { released: true }
    return 'released' in content ? 'released' : content
  } catch {
    return null
  }
}

async function readText(files: LogFiles, path: string): Promise<string> {
  const file = await files.open(path, 'read')
  try {
    const bytes = Buffer.alloc(await file.size())
    await file.read(bytes, 0)
    return bytes.toString('utf8')
  } finally {
    await file.close()
  }
}
