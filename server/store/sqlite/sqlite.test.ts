import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStore, type OpenedStore } from '../conformance.ts'
import { createSqliteStore } from './store.ts'

const folders: string[] = []

async function open(): Promise<OpenedStore> {
  const folder = await mkdtemp(join(tmpdir(), 'veritas-store-'))
  folders.push(folder)
  const options = { path: join(folder, 'veritas.db'), readers: 2 }
  const store = await createSqliteStore(options)
  return {
    store,
    reopen: async () => {
      await store.close()
      return createSqliteStore(options)
    },
  }
}

describeStore('sqlite', open)

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))
