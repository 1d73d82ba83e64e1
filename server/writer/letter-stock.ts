import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** How many letters a folder holds, and what they take of the disk. */
interface LetterStock {
  count: number
  bytes: number
}

/** A letter by its name and age. */
export interface LetterPlace {
  id: string
  /** Epoch ms. */
  at: number
}

/**
 * What is known of the letters of a folder without looking at each of them again: this process counts its own changes,
 * those of others are seen with the next look.
 */
export interface KnownStock {
  /** As of a look at most a second ago, or a few times as long as the look took. */
  get(): Promise<LetterStock>
  /** A letter was added to, or taken from, the folder by this process. */
  change(letters: number, bytes: number): void
}

export const LETTER_SUFFIX = '.json'

const MAX_AGE_MS = 1000
/** A folder of very many letters is looked at for at most so much of the time. */
const LOOKING_SHARE = 0.05
const BLOCK_BYTES = 4096
/** Looks at the disk that are under way at once. */
const STEP = 64

export function createKnownStock(dir: string): KnownStock {
  let known: (LetterStock & { lookedAt: number; maxAgeMs: number }) | null = null
  let looking: Promise<void> | null = null

  async function look(): Promise<void> {
    const startedAt = performance.now()
    let count = 0
    let bytes = 0
    for await (const letters of lettersIn(dir))
      for (const letter of letters) {
        count++
        bytes += letter.bytes
      }
    const lookedAt = performance.now()
    known = { count, bytes, lookedAt, maxAgeMs: Math.max(MAX_AGE_MS, (lookedAt - startedAt) / LOOKING_SHARE) }
  }

  return {
    async get() {
      if (known && performance.now() - known.lookedAt < known.maxAgeMs) return known
      looking ??= look().finally(() => {
        looking = null
      })
      await looking
      return known ?? { count: 0, bytes: 0 }
    },
    change(letters, bytes) {
      if (!known) return
      known.count += letters
      known.bytes += bytes
    },
  }
}

/** What a file of this size takes of the disk. */
export function onDisk(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}

/** Of all letters those that come after a place, oldest first, at most so many. Holds no more of them than that. */
export async function oldestLetters(dir: string, limit: number, after: LetterPlace | null): Promise<LetterPlace[]> {
  let oldest: LetterPlace[] = []
  for await (const letters of lettersIn(dir)) {
    for (const { id, at } of letters) if (!after || compare({ id, at }, after) > 0) oldest.push({ id, at })
    if (oldest.length >= 2 * limit + STEP) oldest = oldest.sort(compare).slice(0, limit)
  }
  return oldest.sort(compare).slice(0, limit)
}

function compare(a: LetterPlace, b: LetterPlace): number {
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

interface FoundLetter extends LetterPlace {
  bytes: number
}

/** Some at a time; none for a folder that was never made. */
async function* lettersIn(dir: string): AsyncGenerator<FoundLetter[]> {
  const folder = await opendir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!folder) return
  let names: string[] = []
  for await (const { name } of folder) {
    if (name.endsWith(LETTER_SUFFIX)) names.push(name)
    if (names.length < STEP) continue
    yield await find(dir, names)
    names = []
  }
  yield await find(dir, names)
}

async function find(dir: string, names: readonly string[]): Promise<FoundLetter[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const file = await stat(join(dir, name)).catch(() => null)
      if (!file?.isFile()) return null
      return { id: name.slice(0, -LETTER_SUFFIX.length), at: Math.round(file.mtimeMs), bytes: onDisk(file.size) }
    }),
  )
  return found.filter((letter) => letter !== null)
}
