import { readdirSync, readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Waiting } from './wal.ts'

/** The file of a slot in which its owner tells other processes what waits in it. */
const FILE = 'waiting.json'
/** How old what another process told may be. */
export const TELL_MS = 250
const CACHE_MS = 100

type Told = Pick<Waiting, 'events' | 'oldestAt'>

export interface Teller {
  /** To be called whenever the state may have changed. */
  changed(): void
  /** The last word: what still waits, or no file when nothing does. */
  close(): Promise<void>
}

/**
 * Keeps the file of a slot up to date, at once after a quiet time and else every TELL_MS. It is not synced and survives
 * its owner: what a killed process left waits until somebody adopts the slot and tells anew.
 */
export function createTeller(folder: string, state: () => Told): Teller {
  const path = join(folder, FILE)
  let timer: NodeJS.Timeout | null = null
  let dirty = false
  let told = ''
  let writing = Promise.resolve()

  function tell(): void {
    const { events, oldestAt } = state()
    const text = JSON.stringify({ events, oldestAt })
    if (text === told) return
    told = text
    writing = writing
      .then(() => writeFile(`${path}.new`, text, { mode: 0o600 }))
      .then(() => rename(`${path}.new`, path))
      // A full disk: pages elsewhere show an older state, and the log has its own troubles to report.
      .catch(() => {
        told = ''
      })
  }

  function changed(): void {
    if (timer) {
      dirty = true
      return
    }
    tell()
    timer = setTimeout(() => {
      timer = null
      if (!dirty) return
      dirty = false
      changed()
    }, TELL_MS)
    timer.unref()
  }

  changed()
  return {
    changed,
    async close() {
      if (timer) clearTimeout(timer)
      if (state().events > 0) tell()
      await writing
      if (state().events === 0) await rm(path, { force: true })
    },
  }
}

/** What waits in the logs of others on a folder; null when no other process has a slot there. */
export function createListener(dir: string, isOwn: (slot: number) => boolean): (now: number) => Told | null {
  let heard: Told | null = null
  let heardAt = Number.NEGATIVE_INFINITY
  return (now) => {
    if (now >= heardAt && now - heardAt < CACHE_MS) return heard
    heardAt = now
    heard = null
    for (const slot of slotNames(dir)) {
      const told = isOwn(Number(slot)) ? null : waitingIn(join(dir, slot))
      if (!told) continue
      heard ??= { events: 0, oldestAt: null }
      heard.events += told.events
      if (told.oldestAt !== null) heard.oldestAt = Math.min(told.oldestAt, heard.oldestAt ?? told.oldestAt)
    }
    return heard
  }
}

export function slotNames(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

/** What the last owner of a slot told of it; null where none has. */
export function waitingIn(folder: string): Told | null {
  try {
    const { events, oldestAt } = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Told
    return { events, oldestAt }
  } catch {
    return null
  }
}
