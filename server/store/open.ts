import { createSqliteStore } from './sqlite/store.ts'
import type { Store } from './store.ts'

/** The store of the settings. AppError unavailable, with one line that says why, when it cannot be opened. */
export function openStore({ storePath, storeReaders }: { storePath: string; storeReaders: number }): Promise<Store> {
  return createSqliteStore({ path: storePath, readers: storeReaders })
}
