import { join } from 'node:path'
import { diskFiles, namesIn } from './files.ts'
import { ownerState, processFacts } from './owner.ts'
import { LOCK, readOwner, SILENT_MS } from './slots.ts'
import { slotNames, waitingIn } from './told.ts'

/** What waits in logs of a folder whose processes have ended, for a process that cannot take them over itself. */
export interface Abandoned {
  events(): number
  close(): void
}

/** A process that is started again takes its log over within this time. */
const DEAD_MS = 5000
const LOOK_MS = 1000

/**
 * One that is known to have ended, or has given its slot up, is waited for a little; one of another container is known
 * by its heartbeat alone.
 */
export function watchAbandoned(
  dir: string,
  { deadMs = DEAD_MS, silentMs = SILENT_MS, lookMs = LOOK_MS } = {},
): Abandoned {
  const seen = new Map<string, { sign: string; since: number }>()
  let events = 0
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    let found = 0
    const slots = new Set(slotNames(dir))
    for (const slot of slots) {
      const folder = join(dir, slot)
      const waiting = waitingIn(folder)?.events ?? 0
      const { sign, hasEnded } = waiting > 0 ? await lookAtOwner(folder) : { sign: '', hasEnded: false }
      const before = seen.get(slot)
      if (before?.sign !== sign) seen.set(slot, { sign, since: performance.now() })
      else if (performance.now() - before.since >= (hasEnded ? deadMs : silentMs)) found += waiting
    }
    for (const slot of seen.keys()) if (!slots.has(slot)) seen.delete(slot)
    events = found
  }

  async function turn(): Promise<void> {
    // A disk that does not answer says nothing new.
    await look().catch(() => {})
    if (!isClosed) timer = setTimeout(() => void turn(), lookMs).unref()
  }
  void turn()

  return {
    events: () => events,
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** What changes with every sign of life. */
async function lookAtOwner(folder: string): Promise<{ sign: string; hasEnded: boolean }> {
  const numbers = (await namesIn(folder)).map((name) => Number(LOCK.exec(name)?.[1] ?? 0))
  const name = `lock-${Math.max(0, ...numbers)}`
  const path = join(folder, name)
  const owner = await readOwner(diskFiles, path)
  const hasEnded = owner === 'released' || (owner !== null && ownerState(owner, processFacts) === 'dead')
  const touchedAt = await diskFiles.touchedAt(path).catch(() => null)
  return { sign: `${name} ${touchedAt} ${hasEnded}`, hasEnded }
}
