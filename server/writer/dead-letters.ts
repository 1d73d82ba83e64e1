import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import type { EventWriting, StoredEvent } from '../store/store.ts'

/** An accepted event that the store will not take, kept with the reason instead of being lost. */
export interface DeadLetter {
  /** The same for the same event, so that adding it again changes nothing. */
  id: string
  at: number
  reason: string
  /** What replaying it would store; null when it cannot be read as an event any more. */
  event: StoredEvent | null
  /** What was posted, where `event` is null. */
  raw?: unknown
}

export interface DeadLetters {
  /** Resolves when the letters survive a power cut. Throws AppError unavailable at the byte cap: nothing is dropped. */
  add(letters: Omit<DeadLetter, 'id'>[]): Promise<void>
  /** Oldest first. */
  list(limit?: number): Promise<DeadLetter[]>
  get(id: string): Promise<DeadLetter | null>
  count(): Promise<number>
  /** Tries to store these (default: all) again; those that are stored now are letters no more. */
  replay(store: EventWriting, ids?: string[]): Promise<{ stored: number; duplicate: number; refused: number }>
  /** Forgets letters for good; returns how many there were. */
  discard(ids: string[]): Promise<number>
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024
const SUFFIX = '.json'

/** One file a letter in a folder, so that processes and tools can add and remove at the same time without locks. */
export function createDeadLetters({
  dir,
  maxBytes = DEFAULT_MAX_BYTES,
}: {
  dir: string
  maxBytes?: number
}): DeadLetters {
  async function ids(): Promise<string[]> {
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length))
  }

  async function get(id: string): Promise<DeadLetter | null> {
    if (!/^[\w-]+$/.test(id)) return null
    try {
      const letter = JSON.parse(await readFile(join(dir, id + SUFFIX), 'utf8')) as DeadLetter | null
      return typeof letter?.reason === 'string' ? letter : null
    } catch (error) {
      // Gone meanwhile, or a file that somebody else put there: neither is a letter, nor hides the others.
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'EISDIR' || error instanceof SyntaxError) return null
      throw error
    }
  }

  async function all(): Promise<DeadLetter[]> {
    const letters = (await Promise.all((await ids()).map(get))).filter((letter) => letter !== null)
    return letters.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  }

  async function bytes(): Promise<number> {
    let sum = 0
    for (const id of await ids()) sum += (await stat(join(dir, id + SUFFIX)).catch(() => null))?.size ?? 0
    return sum
  }

  async function discard(wanted: string[]): Promise<number> {
    let count = 0
    for (const id of wanted) {
      if (!/^[\w-]+$/.test(id)) continue
      const gone = await unlink(join(dir, id + SUFFIX)).then(
        () => true,
        () => false,
      )
      if (gone) count++
    }
    return count
  }

  return {
    get,
    discard,
    count: async () => (await ids()).length,
    list: async (limit = 100) => (await all()).slice(0, limit),

    async add(letters) {
      if (letters.length === 0) return
      await mkdir(dir, { recursive: true, mode: 0o700 })
      let left = maxBytes - (await bytes())
      for (const letter of letters) {
        const id = idOf(letter)
        const text = `${JSON.stringify({ id, ...letter })}\n`
        left -= Buffer.byteLength(text)
        if (left < 0)
          throw new AppError(
            'unavailable',
            `The dead letters in ${dir} have reached ${maxBytes} bytes. Replay or discard some: npm run dead-letters`,
          )
        await writeSafely(dir, id + SUFFIX, text)
      }
      await syncFolder(dir)
    },

    async replay(store, wanted) {
      const outcome = { stored: 0, duplicate: 0, refused: 0 }
      const letters = wanted ? (await Promise.all(wanted.map(get))).filter((letter) => letter !== null) : await all()
      for (const { id, event } of letters) {
        if (!event) {
          outcome.refused++
          continue
        }
        // A new batch id: under the old one the store would only repeat its refusal.
        const { fates } = await store.insertBatch({ id: `dead-letter-${id}-${randomUUID()}`, events: [event] })
        const fate = fates[0] ?? 'refused'
        outcome[fate]++
        if (fate !== 'refused') await discard([id])
      }
      return outcome
    },
  }
}

function idOf({ event, raw }: Omit<DeadLetter, 'id'>): string {
  const identity = event ? `${event.siteId}\n${event.eventId}` : JSON.stringify(raw)
  return createHash('sha256').update(identity).digest('hex').slice(0, 32)
}

async function writeSafely(dir: string, name: string, text: string): Promise<void> {
  const draft = join(dir, `${name}.${randomUUID()}.draft`)
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, join(dir, name))
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
