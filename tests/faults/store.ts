import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { Database } from '../../server/store/sqlite/database.ts'
import { createSqliteStore } from '../../server/store/sqlite/store.ts'
import type { Store } from '../../server/store/store.ts'
import { type MongoProcess, startMongoProcess } from '../mongo/mongo-process.ts'
import type { StoreKind } from '../store-kind.ts'

/** The data folder of a shop, and the store its servers use. */
export interface ShopData {
  dataDir: string
  /** Settings with which a server uses this store. */
  env: Record<string, string>
  /** Opens the store directly; servers may be using it at the same time. */
  open(): Promise<Store>
  /** Makes the store unreachable, keeping its data, until the returned function is called. */
  takeAway(): Promise<() => Promise<void>>
  /** The MongoDB process; null for SQLite. */
  mongo: MongoProcess | null
}

/** Creates the stores for one run of a fault. */
export interface Stores {
  /** Creates a new, empty store. */
  create(): Promise<ShopData>
  /** Closes all stores. Deletes their data unless `keepData` is set for inspection. */
  close(options: { keepData: boolean }): Promise<void>
  /** The folders of their data. */
  folders(): Promise<string[]>
}

export function createStores(kind: StoreKind, id: string): Stores {
  const folders: string[] = []
  let mongo: Promise<MongoProcess> | null = null
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), `veritas-${id.toLowerCase()}-`))
    folders.push(folder)
    return folder
  }
  return {
    async create() {
      const dataDir = newFolder()
      if (kind === 'sqlite') return sqliteData(dataDir)
      mongo ??= startMongoProcess({ keepsData: true })
      return mongoData(dataDir, await mongo, `shop_${folders.length}`)
    },
    async folders() {
      const server = await mongo
      return server ? [...folders, server.folder] : folders
    },
    async close({ keepData }) {
      await (await mongo)?.close({ keepData })
      if (!keepData) for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function sqliteData(dataDir: string): ShopData {
  const path = join(dataDir, 'veritas.db')
  return {
    dataDir,
    env: {},
    open: () => createSqliteStore({ path, readers: 1, readTimeoutMs: 60_000 }),
    /** Holds the write lock from another connection, as a backup tool might. */
    async takeAway() {
      const other = await Database.open(path)
      other.exec('BEGIN IMMEDIATE')
      return async () => {
        other.exec('ROLLBACK')
        other.close()
      }
    },
    mongo: null,
  }
}

function mongoData(dataDir: string, mongo: MongoProcess, database: string): ShopData {
  const url = `${mongo.url}/${database}`
  return {
    dataDir,
    env: { STORE_URL: url },
    open: () => createMongoStore({ url }),
    async takeAway() {
      await mongo.stop()
      return () => mongo.start()
    },
    mongo,
  }
}
