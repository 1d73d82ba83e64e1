import { appendFile, mkdir, open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredEvent } from '../store/store.ts'

/** Events that came under the eventId of another one, and so were not stored. */
export interface Conflicts {
  /** Never throws: `onFailure` is told of what cannot be written. */
  add(events: readonly StoredEvent[], at: number): Promise<void>
  /** The last ones, oldest first. */
  list(limit: number): Promise<Conflict[]>
}

export interface Conflict {
  /** When it was found out. */
  at: number
  event: StoredEvent
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024

/**
 * A file of the last conflicts and one of those before, JSON lines, each up to maxBytes: anybody who may send events can
 * make any number of conflicts, and they are repetitions as far as the count goes.
 */
export function createConflicts({
  dir,
  maxBytes = DEFAULT_MAX_BYTES,
  onFailure = () => {},
}: {
  dir: string
  maxBytes?: number
  onFailure?: (error: unknown) => void
}): Conflicts {
  const current = join(dir, 'conflicts.jsonl')
  const before = join(dir, 'conflicts-before.jsonl')
  let adding: Promise<void> = Promise.resolve()

  async function write(events: readonly StoredEvent[], at: number): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const { size } = await stat(current).catch(() => ({ size: 0 }))
    if (size > maxBytes) await rename(current, before).catch(() => {})
    const lines = events.map((event) => `${JSON.stringify({ at, event } satisfies Conflict)}\n`)
    await appendFile(current, lines.join(''), { mode: 0o600 })
  }

  return {
    add(events, at) {
      if (events.length > 0) adding = adding.then(() => write(events, at)).catch(onFailure)
      return adding
    },
    async list(limit) {
      const last: Conflict[] = []
      for (const path of [before, current])
        for await (const line of linesOf(path)) {
          const conflict = read(line)
          if (conflict) last.push(conflict)
          if (last.length >= 2 * limit) last.splice(0, last.length - limit)
        }
      return last.slice(-limit)
    },
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  // Closes the file at its end.
  if (file) yield* file.readLines()
}

/** Null for a line that was cut by a crash. */
function read(line: string): Conflict | null {
  try {
    return JSON.parse(line) as Conflict
  } catch {
    return null
  }
}
