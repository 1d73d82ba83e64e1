import { join } from 'node:path'
import { createSqliteStore } from '../../server/store/sqlite/store.ts'
import type { StoredEvent } from '../../server/store/store.ts'
import { createDeadLetters } from '../../server/writer/dead-letters.ts'
import type { Obligations } from './obligations.ts'
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
  /** The first of each kind, with marks and steps. */
  faults: string[]
}

const NAMED = 5

/** Holds a data folder whose log has run empty against what its clients were promised; the server may still run. */
export async function compareStore(dataDir: string, obligations: Obligations): Promise<Comparison> {
  const store = await createSqliteStore({ path: join(dataDir, 'veritas.db'), readers: 1, readTimeoutMs: 60_000 })
  try {
    const rows: StoredEvent[] = []
    for await (const part of store.scanEvents('default')) rows.push(...part)
    const letters = await createDeadLetters({ dir: join(dataDir, 'dead-letters') }).list(Number.MAX_SAFE_INTEGER)
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
      faults: Object.entries(lists).flatMap(([kind, list]) => list.slice(0, NAMED).map((fault) => `${kind}: ${fault}`)),
    }
  } finally {
    await store.close()
  }
}
