import { dirname, join } from 'node:path'
import { AppError } from '../server/errors.ts'
import { findLivingOwner } from '../server/ingest/wal/living-owner.ts'
import { livingHost } from '../server/store/living-host.ts'
import type { Store } from '../server/store/store.ts'
import { settings, storeName } from './open.ts'

/** Throws AppError conflict if a server runs on the store: events it stores meanwhile would be on one side only. */
export async function assertNoServer(option: string, name: string, store: Store, storePath: string): Promise<void> {
  const log = await logInUse(name, storePath)
  if (log !== null) throw refusal(option, name, log)
  const host = store.logs ? await livingHost(store.logs) : null
  if (host !== null) throw refusal(option, name, `it is on ${host}`)
}

/** Looks for a running server's log beside the SQLite file, and in WAL_DIR if the settings name this store. */
async function logInUse(name: string, storePath: string): Promise<string | null> {
  const folders = new Set<string>()
  if (storePath !== '') folders.add(join(dirname(storePath), 'wal'))
  const own = settings()
  if (name.replace(/^sqlite:/, '') === storeName(own)) folders.add(own.wal.dir)
  for (const folder of folders) {
    const owner = await findLivingOwner(folder)
    if (owner) return `process ${owner.pid ?? 'unknown'}, with its log in ${folder}`
  }
  return null
}

function refusal(option: string, name: string, who: string): AppError {
  return new AppError('conflict', `--${option}: a server runs on ${name} (${who}): stop it first.`)
}
