import { join } from 'node:path'
import type { StoredEvent } from '../../server/store/store.ts'
import { createDeadLetters } from '../../server/writer/dead-letters.ts'
import type { Obligations } from './obligations.ts'
import type { ShopData } from './store.ts'
import { wrongTotals } from './totals.ts'

export interface Comparison {
  posted: number
  promised: number
  stored: number
  deadLetters: number
  missing: number
  duplicates: number
  spurious: number
  different: number
  wrongTotals: number
  /** The first differences of each kind, with their marks and steps. */
  faults: string[]
}

const NAMED = 5

/**
 * Compares a store with what the clients of its servers were promised. Servers may still run, but their logs must be
 * empty. Dead letters are read from the store's data folder and from `otherDirs`, the data folders of other servers.
 */
export async function compareStore(
  { dataDir, open }: Pick<ShopData, 'dataDir' | 'open'>,
  obligations: Obligations,
  otherDirs: readonly string[] = [],
  /** Number of events that the server reported as lost to damage; up to as many may be missing. */
  lost = 0,
): Promise<Comparison> {
  const store = await open()
  try {
    const rows: StoredEvent[] = []
    for await (const part of store.scanEvents('default')) rows.push(...part)
    const folders = [dataDir, ...otherDirs].map((folder) => createDeadLetters({ dir: join(folder, 'dead-letters') }))
    const letters = (await Promise.all(folders.map((folder) => folder.list(Number.MAX_SAFE_INTEGER)))).flat()
    const kept = letters.map((letter) => letter.event).filter((event) => event !== null)
    const lists = { ...obligations.compare(rows, kept), wrongTotals: await wrongTotals(store, rows) }
    const { missing, duplicates, spurious, different, wrongTotals: wrong } = lists
    return {
      posted: obligations.posted,
      promised: obligations.promised,
      stored: rows.length,
      deadLetters: letters.length,
      missing: missing.length,
      duplicates: duplicates.length,
      spurious: spurious.length,
      different: different.length,
      wrongTotals: wrong.length,
      faults: Object.entries({ ...lists, missing: missing.length > lost ? missing : [] }).flatMap(([kind, list]) =>
        list.slice(0, NAMED).map((fault) => `${kind}: ${fault}`),
      ),
    }
  } finally {
    await store.close()
  }
}
