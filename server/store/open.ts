import type { OnCommand } from './mongo/commands.ts'
import type { OnProgress } from './steps.ts'
import type { Store } from './store.ts'

export interface StoreSettings {
  /** null for SQLite. */
  mongoUrl: string | null
  storePath: string
  storeReaders: number
  /** Memory for pages in the thread that writes SQLite; 32 MB unless given. */
  sqliteCacheBytes?: number | undefined
  /** How long SQLite's own log may become; 2 GiB unless given. */
  sqliteLogMaxBytes?: number | undefined
}

/**
 * The store of the settings. AppError unavailable, with one line that says why, when its file cannot be opened. A
 * MongoDB that is away opens too: its calls reject as unavailable until it is there.
 */
export async function openStore(
  { mongoUrl, storePath, storeReaders, sqliteCacheBytes, sqliteLogMaxBytes }: StoreSettings,
  onCommand?: OnCommand,
  onProgress?: OnProgress,
): Promise<Store> {
  // Only the one that is used is loaded.
  if (mongoUrl === null) {
    const { createSqliteStore } = await import('./sqlite/store.ts')
    return createSqliteStore({
      path: storePath,
      readers: storeReaders,
      cacheBytes: sqliteCacheBytes,
      logMaxBytes: sqliteLogMaxBytes,
      onProgress,
    })
  }
  const { createMongoStore } = await import('./mongo/store.ts')
  return createMongoStore({ url: mongoUrl, onCommand, onProgress })
}
