import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredEvent } from '../store/store.ts'

/** Types whose events are not waited for any longer: of them, what fails in the store becomes a dead letter. */
export interface GivenUp {
  /** Whether its type was given up after the event was accepted. */
  has(event: Pick<StoredEvent, 'type' | 'receivedAt'>): boolean
  hasType(type: string): boolean
  /** Looks for what was given up since. Resolves to a number that is another one wherever something was. */
  look(): Promise<number>
}

export const nothingGivenUp: GivenUp = { has: () => false, hasType: () => false, look: async () => 0 }

const NAME = /^[a-z][a-z0-9_]{0,63}$/
/** Those who wait look together. */
const MAX_AGE_MS = 500

/** By files in a folder, one a type, which every process on the folder reads (give-up of npm run dead-letters). */
export function createGivenUp(dir: string): GivenUp {
  const moments = new Map<string, number>()
  let changes = 0
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | null = null

  async function lookNow(): Promise<void> {
    // No folder, or one that cannot be read: nothing is given up, and events wait.
    for (const type of await readdir(dir).catch((): string[] => [])) {
      if (!NAME.test(type)) continue
      const at = Number(await readFile(join(dir, type), 'utf8').catch(() => ''))
      if (!Number.isSafeInteger(at) || at <= (moments.get(type) ?? 0)) continue
      moments.set(type, at)
      changes++
    }
    lookedAt = performance.now()
  }

  return {
    has: ({ type, receivedAt }) => receivedAt <= (moments.get(type) ?? Number.NEGATIVE_INFINITY),
    hasType: (type) => moments.has(type),
    async look() {
      if (performance.now() - lookedAt >= MAX_AGE_MS)
        looking ??= lookNow().finally(() => {
          looking = null
        })
      await looking
      return changes
    },
  }
}

/** Gives up the events of a type that were accepted until `at`, epoch milliseconds. */
export async function giveUp(dir: string, type: string, at: number): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const draft = join(dir, `.${type}.${process.pid}`)
  await writeFile(draft, `${at}\n`, { mode: 0o600 })
  await rename(draft, join(dir, type))
}
