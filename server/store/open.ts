import { createMongoStore } from './mongo/store.ts'
import { createSqliteStore } from './sqlite/store.ts'
import type { Store } from './store.ts'

export interface StoreSettings {
  /** null for SQLite. */
  mongoUrl: string | null
  storePath: string
  storeReaders: number
}

/**
 * The store of the settings. AppError unavailable, with one line that says why, when its file cannot be opened. A
 * MongoDB that is away opens too: its calls reject as unavailable until it is there.
 */
export function openStore({ mongoUrl, storePath, storeReaders }: StoreSettings): Promise<Store> {
  return mongoUrl === null
    ? createSqliteStore({ path: storePath, readers: storeReaders })
    : createMongoStore({ url: mongoUrl })
}
