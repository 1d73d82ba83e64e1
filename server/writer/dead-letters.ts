import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import type { EventWriting, StoredEvent } from '../store/store.ts'
import { createKnownStock, LETTER_SUFFIX, letterNames } from './letter-stock.ts'

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
/** How old what is known of letters of other processes may be: for their number, … */
const COUNT_AGE_MS = 1000
/** … for their bytes while there is much room, … */
const BYTES_AGE_MS = 30_000
/** … and when there is none left, or less than this part of the cap. */
const FULL_AGE_MS = 1000
const NEARLY_FULL = 0.1
/** Part of the cap that a process may add between two looks, so that several together hardly pass it. */
const BLIND = 1 / 64

/** One file a letter in a folder, so that processes and tools can add and remove at the same time without locks. */
export function createDeadLetters({
  dir,
  maxBytes = DEFAULT_MAX_BYTES,
}: {
  dir: string
  maxBytes?: number
}): DeadLetters {
  const stock = createKnownStock(dir)

  async function ids(): Promise<string[]> {
    return (await letterNames(dir)).map((name) => name.slice(0, -LETTER_SUFFIX.length))
  }

  async function sizeOf(id: string): Promise<number | null> {
    return stat(join(dir, id + LETTER_SUFFIX)).then(
      ({ size }) => size,
      () => null,
    )
  }

  /** Takes the room of a letter. Throws AppError unavailable where there is none. */
  async function takeRoom(bytes: number): Promise<void> {
    const left = async (maxAgeMs: number) => maxBytes - bytes - (await stock.get(maxAgeMs, BLIND * maxBytes)).bytes
    if ((await left(BYTES_AGE_MS)) < NEARLY_FULL * maxBytes && (await left(FULL_AGE_MS)) < 0)
      throw new AppError(
        'unavailable',
        `The dead letters in ${dir} have reached ${maxBytes} bytes. Replay or discard some: npm run dead-letters`,
      )
    stock.change(0, bytes)
  }

  async function get(id: string): Promise<DeadLetter | null> {
    if (!/^[\w-]+$/.test(id)) return null
    try {
      const letter = JSON.parse(await readFile(join(dir, id + LETTER_SUFFIX), 'utf8')) as DeadLetter | null
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

  async function discard(wanted: string[]): Promise<number> {
    let count = 0
    for (const id of wanted) {
      if (!/^[\w-]+$/.test(id)) continue
      const size = await sizeOf(id)
      const gone = await unlink(join(dir, id + LETTER_SUFFIX)).then(
        () => true,
        () => false,
      )
      if (!gone) continue
      count++
      stock.change(-1, -(size ?? 0))
    }
    return count
  }

  return {
    get,
    discard,
    count: async () => (await stock.get(COUNT_AGE_MS)).count,
    list: async (limit = 100) => (await all()).slice(0, limit),

    async add(letters) {
      if (letters.length === 0) return
      await mkdir(dir, { recursive: true, mode: 0o700 })
      for (const letter of letters) {
        const id = idOf(letter)
        const text = `${JSON.stringify({ id, ...letter })}\n`
        // The letter that it takes the place of; the same event gives the same name.
        const before = await sizeOf(id)
        const bytes = Buffer.byteLength(text) - (before ?? 0)
        await takeRoom(bytes)
        try {
          await writeSafely(dir, id + LETTER_SUFFIX, text)
        } catch (error) {
          stock.change(0, -bytes)
          throw error
        }
        if (before === null) stock.change(1, 0)
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
