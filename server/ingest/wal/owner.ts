import fs from 'node:fs'
import { hostname } from 'node:os'

/** Who holds a slot: enough to tell a live process from a dead one whose pid was given out again. */
export interface Owner {
  pid: number
  /** Start of the process in clock ticks since boot; null where /proc does not say. */
  startedAt: string | null
  bootId: string | null
  /** Processes of another container count other pids. */
  pidSpace: string
}

/** Where the facts about processes come from; tests give their own. */
export interface ProcessFacts {
  self(): Owner
  /** Start ticks of a live process of our own pid space; undefined when there is none with this pid. */
  startOf(pid: number): string | null | undefined
}

export const processFacts: ProcessFacts = {
  self: () => ({
    pid: process.pid,
    startedAt: processFacts.startOf(process.pid) ?? null,
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    pidSpace: readLink('/proc/self/ns/pid') ?? hostname(),
  }),
  startOf(pid) {
    try {
      // Signal 0 only asks. EPERM: it lives, but is somebody else's.
      process.kill(pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined
    }
    const stat = readText(`/proc/${pid}/stat`)
    // Field 22; the second field is a name in brackets that may hold blanks.
    return stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null)
  },
}

/**
 * 'dead' only when it is certain: another boot of the same pid space, no process with the pid, or one that started at
 * another time. 'unknown' for another container or host on the same folder.
 */
export function ownerState(owner: Owner, facts: ProcessFacts): 'alive' | 'dead' | 'unknown' {
  const self = facts.self()
  if (owner.bootId !== self.bootId && owner.bootId !== null && self.bootId !== null) return 'unknown'
  if (owner.pidSpace !== self.pidSpace) return 'unknown'
  const startedAt = facts.startOf(owner.pid)
  if (startedAt === undefined) return 'dead'
  if (startedAt !== null && owner.startedAt !== null && startedAt !== owner.startedAt) return 'dead'
  return 'alive'
}

function readText(path: string): string | null {
  try {
    return fs.readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}

function readLink(path: string): string | null {
  try {
    return fs.readlinkSync(path)
  } catch {
    return null
  }
}
