import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../errors.ts'
import type { EventWriting, StoredEvent } from '../store/store.ts'
import { createKnownStock, LETTER_SUFFIX, type LetterPlace, oldestLetters, onDisk } from './letter-stock.ts'

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

/** One of a page of letters. */
export interface ListedLetter extends DeadLetter {
  /** Where the page after it begins. */
  place: string
}

export interface ReplayOutcome {
  stored: number
  duplicate: number
  refused: number
  /** Those that the store could not even refuse; they stay. */
  failed: number
  /** Why the last of them failed, or why it stopped before the last letter; null when none did. */
  problem: string | null
}

export interface DeadLetters {
  /** Resolves when the letters survive a power cut. However many there are, none is refused. */
  add(letters: Omit<DeadLetter, 'id'>[]): Promise<void>
  /**
   * Oldest first, those after a place: up to `limit`, or fewer when they come to several MB. An empty page is the end.
   * Throws AppError invalid_input for what is no place.
   */
  list(limit?: number, after?: string): Promise<ListedLetter[]>
  get(id: string): Promise<DeadLetter | null>
  count(): Promise<number>
  /** Whether they take more of the disk than they should. */
  isOverFull(): Promise<boolean>
  /** Tries to store these (default: all) again, each on its own; those that are stored now are letters no more. */
  replay(store: EventWriting, ids?: string[]): Promise<ReplayOutcome>
  /** Forgets letters for good; returns how many there were. */
  discard(ids: string[]): Promise<number>
}

/** Letters that are named at once while all are gone through. */
const STEP = 1000
/** Of the letters of one page; a single one may be as large as a request. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024

/**
 * One file a letter in a folder, so that processes and tools can add and remove at the same time without locks. From
 * `alarmBytes` on somebody should look at them; what bounds them is the disk, near whose end no event is accepted.
 */
export function createDeadLetters({
  dir,
  alarmBytes = Number.POSITIVE_INFINITY,
}: {
  dir: string
  alarmBytes?: number
}): DeadLetters {
  const stock = createKnownStock(dir)
  let isKept = false

  function pathOf(id: string): string {
    return join(dir, id + LETTER_SUFFIX)
  }

  async function fileOf(id: string): Promise<{ size: number; bytes: number } | null> {
    const file = await stat(pathOf(id)).catch(() => null)
    return file && { size: file.size, bytes: onDisk(file.size) }
  }

  async function get(id: string): Promise<DeadLetter | null> {
    if (!isId(id)) return null
    try {
      const letter = JSON.parse(await readFile(pathOf(id), 'utf8')) as DeadLetter | null
      return typeof letter?.reason === 'string' ? { ...letter, id } : null
    } catch (error) {
      // Gone meanwhile, or a file that somebody else put there: neither is a letter, nor hides the others.
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'EISDIR' || error instanceof SyntaxError) return null
      throw error
    }
  }

  /** The ids of all letters that there are now, oldest first. */
  async function* allIds(): AsyncGenerator<string> {
    for (let after = null; ; ) {
      const places = await oldestLetters(dir, STEP, after)
      for (const { id } of places) yield id
      if (places.length < STEP) return
      after = places.at(-1)!
    }
  }

  async function discard(wanted: string[]): Promise<number> {
    let count = 0
    for (const id of wanted) {
      if (!isId(id)) continue
      const file = await fileOf(id)
      const gone = await unlink(pathOf(id)).then(
        () => true,
        () => false,
      )
      if (!gone) continue
      count++
      stock.change(-1, -(file?.bytes ?? 0))
    }
    return count
  }

  async function replayOne(store: EventWriting, { id, event }: DeadLetter, outcome: ReplayOutcome): Promise<void> {
    if (!event) {
      outcome.refused++
      return
    }
    // A new batch id: under the old one the store would only repeat its refusal.
    const { fates } = await store.insertBatch({ id: `dead-letter-${id}-${randomUUID()}`, events: [event] })
    const fate = fates[0] ?? 'refused'
    outcome[fate]++
    if (fate !== 'refused') await discard([id])
  }

  return {
    get,
    discard,
    count: async () => (await stock.get()).count,
    isOverFull: async () => (await stock.get()).bytes >= alarmBytes,

    async list(limit = 100, after) {
      const letters: ListedLetter[] = []
      let bytes = 0
      let from = after === undefined ? null : placeOf(after)
      // Files that are no letters must not make a page empty, which would be the end.
      while (letters.length === 0) {
        const places = await oldestLetters(dir, limit, from)
        for (const place of places) {
          bytes += (await fileOf(place.id))?.size ?? 0
          if (bytes > MAX_PAGE_BYTES && letters.length > 0) return letters
          const letter = await get(place.id)
          if (letter) letters.push({ ...letter, place: `${place.at}.${place.id}` })
        }
        if (places.length < limit) break
        from = places.at(-1)!
      }
      return letters
    },

    async add(letters) {
      if (letters.length === 0) return
      await mkdir(dir, { recursive: true, mode: 0o700 })
      // A folder whose own name a power cut takes away takes the letters with it.
      if (!isKept) await syncFolder(dirname(dir))
      isKept = true
      for (const letter of letters) {
        const id = idOf(letter)
        const text = `${JSON.stringify({ id, ...letter })}\n`
        // The letter that it takes the place of; the same event gives the same name.
        const before = await fileOf(id)
        await writeSafely(dir, id + LETTER_SUFFIX, text, letter.at)
        stock.change(before ? 0 : 1, onDisk(Buffer.byteLength(text)) - (before?.bytes ?? 0))
      }
      await syncFolder(dir)
    },

    async replay(store, wanted) {
      const outcome: ReplayOutcome = { stored: 0, duplicate: 0, refused: 0, failed: 0, problem: null }
      for await (const id of wanted ?? allIds()) {
        const letter = await get(id)
        if (!letter) continue
        try {
          await replayOne(store, letter, outcome)
        } catch (error) {
          outcome.failed++
          outcome.problem = error instanceof AppError ? error.message : `The event of letter ${id} fails in the store.`
          // A store that is away would fail with each of the others as well.
          if (error instanceof AppError && error.code === 'unavailable' && !error.suspectsInput) break
        }
      }
      return outcome
    },
  }
}

function placeOf(text: string): LetterPlace {
  const [, at, id] = /^(\d{1,15})\.([\w-]+)$/.exec(text) ?? []
  if (at === undefined || id === undefined)
    throw new AppError('invalid_input', 'after: the place of a letter, as the list before gave it.', { field: 'after' })
  return { at: Number(at), id }
}

function isId(id: string): boolean {
  return /^[\w-]+$/.test(id)
}

function idOf({ event, raw }: Omit<DeadLetter, 'id'>): string {
  const identity = event ? `${event.siteId}\n${event.eventId}` : JSON.stringify(raw)
  return createHash('sha256').update(identity).digest('hex').slice(0, 32)
}

async function writeSafely(dir: string, name: string, text: string, at: number): Promise<void> {
  const draft = join(dir, `${name}.${randomUUID()}.draft`)
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    // By which letters are put in order without reading them.
    await file.utimes(at / 1000, at / 1000)
    await file.sync()
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw error
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
