import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { diskFiles, type LogFiles, namesIn, namesInSlot } from './files.ts'
import { ownerState, type ProcessFacts, processFacts } from './owner.ts'
import { LOCK, readOwner, SILENT_MS } from './slots.ts'

/** Looks at a lock whose owner can be told by its heartbeat alone. */
const LOOK_MS = 250

/**
 * A process that holds a slot of the log, for those who are about to replace the folder; null where none does. One of
 * another container or machine is known by its heartbeat: it is waited for as long as an owner may be silent.
 */
export async function findLivingOwner(
  dir: string,
  {
    files = diskFiles,
    facts = processFacts,
    silentMs = SILENT_MS,
  }: { files?: LogFiles; facts?: ProcessFacts; silentMs?: number } = {},
): Promise<{ pid: number | null } | null> {
  const unknown = new Map<string, { pid: number | null; touchedAt: number }>()
  for (const path of await locksIn(dir, files)) {
    const owner = await readOwner(files, path)
    if (owner === 'released') continue
    const state = owner === null ? 'unknown' : ownerState(owner, facts)
    if (owner !== null && state === 'alive') return { pid: owner.pid }
    const touchedAt = await touchedAtOf(files, path)
    if (state === 'unknown' && touchedAt !== null) unknown.set(path, { pid: owner?.pid ?? null, touchedAt })
  }
  const end = performance.now() + silentMs
  while (unknown.size > 0 && performance.now() < end) {
    await sleep(Math.min(LOOK_MS, silentMs / 10))
    for (const [path, { pid, touchedAt }] of unknown) {
      const now = await touchedAtOf(files, path)
      if (now === null) unknown.delete(path)
      else if (now !== touchedAt) return { pid }
    }
  }
  return null
}

function touchedAtOf(files: LogFiles, path: string): Promise<number | null> {
  return files.touchedAt(path).catch(() => null)
}

async function locksIn(dir: string, files: LogFiles): Promise<string[]> {
  const paths: string[] = []
  for (const slot of await namesIn(dir, files)) {
    if (!/^\d+$/.test(slot)) continue
    const folder = join(dir, slot)
    paths.push(
      ...(await namesInSlot(folder, files)).filter((name) => LOCK.test(name)).map((name) => join(folder, name)),
    )
  }
  return paths
}
