import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** How many letters a folder holds, and their bytes. */
export interface LetterStock {
  count: number
  bytes: number
}

/**
 * What is known of the letters of a folder without looking at each of them again: this process counts its own changes,
 * those of others are seen with the next look.
 */
export interface KnownStock {
  /** As of a look at most maxAgeMs ago, since which this process added at most maxGrownBytes. */
  get(maxAgeMs: number, maxGrownBytes?: number): Promise<LetterStock>
  /** A letter was added to, or taken from, the folder by this process. */
  change(letters: number, bytes: number): void
}

export const LETTER_SUFFIX = '.json'

export function createKnownStock(dir: string): KnownStock {
  let known: (LetterStock & { lookedAt: number; grownBytes: number }) | null = null
  let looking: Promise<void> | null = null
  /** Bytes added during a look, which it may have missed: counted twice they only make the next look come sooner. */
  let addedMeanwhile = 0

  async function look(): Promise<void> {
    addedMeanwhile = 0
    const lookedAt = performance.now()
    const names = await letterNames(dir)
    let bytes = 0
    for (const name of names) bytes += (await stat(join(dir, name)).catch(() => null))?.size ?? 0
    known = { count: names.length, bytes: bytes + addedMeanwhile, lookedAt, grownBytes: 0 }
  }

  return {
    async get(maxAgeMs, maxGrownBytes = Number.POSITIVE_INFINITY) {
      if (known && performance.now() - known.lookedAt < maxAgeMs && known.grownBytes <= maxGrownBytes) return known
      looking ??= look().finally(() => {
        looking = null
      })
      await looking
      return known ?? { count: 0, bytes: 0 }
    },
    change(letters, bytes) {
      if (looking && bytes > 0) addedMeanwhile += bytes
      if (!known) return
      known.count += letters
      known.bytes += bytes
      known.grownBytes += Math.max(0, bytes)
    },
  }
}

/** None for a folder that was never made. */
export async function letterNames(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => name.endsWith(LETTER_SUFFIX))
}
