import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Owner, ownerState, type ProcessFacts, processFacts } from './owner.ts'

/** A folder of the log that this process alone may read and write. */
export interface Slot {
  number: number
  folder: string
  /** Grows with every owner: the segments of a later one sort after those of an earlier one. */
  epoch: number
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
  facts?: ProcessFacts
  /** Somebody else took a slot of ours, as can happen to a process that was frozen: it must stop at once. */
  onLost: (folder: string) => void
  heartbeatMs?: number
  /** An owner that cannot be looked at (another container) is gone after this long without a heartbeat. */
  silentMs?: number
}

/** How many more than there are may be tried for a new one, since others may take some at the same time. */
const MORE_SLOTS = 64
const LOCK = /^lock-(\d+)$/

/**
 * Ownership by files lock-1, lock-2 …: the highest is in force. Whoever takes over a dead owner's slot creates the next
 * number, which only one can; nobody ever removes the highest, so no two can own a slot.
 */
export function createSlots({
  dir,
  facts = processFacts,
  onLost,
  heartbeatMs = 5000,
  silentMs = 20_000,
}: SlotsOptions): Slots {
  const held = new Map<number, { folder: string; epoch: number }>()
  const heartbeats = new Map<string, { mtimeMs: number; since: number }>()
  const timer = setInterval(() => void beat(), heartbeatMs)
  timer.unref()

  async function beat(): Promise<void> {
    for (const [number, { folder, epoch }] of held) {
      const newest = await newestLock(folder).catch((error: NodeJS.ErrnoException) =>
        // A folder that is gone takes nothing to any disk; other trouble may pass.
        error.code === 'ENOENT' ? null : epoch,
      )
      if (held.get(number)?.epoch !== epoch) continue
      if (newest !== epoch) {
        held.delete(number)
        onLost(folder)
      } else await utimes(join(folder, `lock-${epoch}`), new Date(), new Date()).catch(() => {})
    }
  }

  async function claim(wanted: (folder: string) => Promise<boolean>): Promise<Slot | null> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const end = (await namesIn(dir)).length + MORE_SLOTS
    for (let number = 0; number < end; number++) {
      if (held.has(number)) continue
      const folder = join(dir, String(number))
      const newest = await newestLock(folder)
      if (newest !== null && !(await isGone(folder, newest))) continue
      if (!(await wanted(folder))) continue
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const epoch = (newest ?? 0) + 1
      if (!(await createLock(folder, epoch))) continue
      held.set(number, { folder, epoch })
      await removeOldLocks(folder, epoch)
      return { number, folder, epoch, release: () => release(number) }
    }
    return null
  }

  async function isGone(folder: string, epoch: number): Promise<boolean> {
    const path = join(folder, `lock-${epoch}`)
    const owner = await readOwner(path)
    if (owner === 'released') return true
    const state = owner === null ? 'unknown' : ownerState(owner, facts)
    if (state !== 'unknown') return state === 'dead'
    // Nothing certain can be known: wait for as long a silence as no live owner keeps, by our own clock.
    const mtimeMs = await stat(path).then(
      (found) => found.mtimeMs,
      () => null,
    )
    if (mtimeMs === null) return false
    const seen = heartbeats.get(path)
    if (seen?.mtimeMs !== mtimeMs) {
      heartbeats.set(path, { mtimeMs, since: performance.now() })
      return false
    }
    return performance.now() - seen.since > silentMs
  }

  async function createLock(folder: string, epoch: number): Promise<boolean> {
    const draft = join(folder, `draft-${randomUUID()}`)
    try {
      await writeFile(draft, JSON.stringify(facts.self()), { mode: 0o600 })
      // A link exists with its whole content or not at all, and only one of several makes it.
      await link(draft, join(folder, `lock-${epoch}`))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      await unlink(draft).catch(() => {})
    }
  }

  async function release(number: number): Promise<void> {
    const slot = held.get(number)
    if (!slot) return
    held.delete(number)
    const path = join(slot.folder, `lock-${slot.epoch}`)
    await writeFile(`${path}.released`, '{"released":true}', { mode: 0o600 })
    await rename(`${path}.released`, path)
  }

  return {
    claim,
    async close() {
      clearInterval(timer)
      for (const number of [...held.keys()]) await release(number)
    },
  }
}

async function newestLock(folder: string): Promise<number | null> {
  const names = await namesIn(folder)
  const epochs = names.map((name) => LOCK.exec(name)?.[1]).filter((epoch) => epoch !== undefined)
  return epochs.length === 0 ? null : Math.max(...epochs.map(Number))
}

/** None for a folder that was never made. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

async function removeOldLocks(folder: string, epoch: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const old = LOCK.exec(name)?.[1]
    if (old !== undefined && Number(old) < epoch) await unlink(join(folder, name)).catch(() => {})
  }
}

/** Null when the lock cannot be read as one, as after a power cut. */
async function readOwner(path: string): Promise<Owner | 'released' | null> {
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as Owner | { released: true }
    return 'released' in content ? 'released' : content
  } catch {
    return null
  }
}
