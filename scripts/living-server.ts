import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../server/errors.ts'
import { findLivingOwner } from '../server/ingest/wal/living-owner.ts'
import type { Store } from '../server/store/store.ts'
import { settings, storeName } from './open.ts'

/** A server tells the others of its database each second; one that was silent for so long is gone. */
const SILENT_MS = 20_000
const LOOK_MS = 500

/** AppError conflict while a server runs on the store at `name`: what it stores meanwhile would be on one side alone. */
export async function assertNoServer(option: string, name: string, store: Store, storePath: string): Promise<void> {
  const log = await logInUse(name, storePath)
  if (log !== null) throw refusal(option, name, log)
  const host = await livingHost(store)
  if (host !== null) throw refusal(option, name, `it is on ${host}`)
}

/** In the folder of a SQLite store, and in the one that the settings here give to this store. */
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

/** Where a server is that tells of itself in the store; null where none does, and in stores of one machine. */
async function livingHost({ logs }: Store): Promise<string | null> {
  if (!logs) return null
  const end = performance.now() + SILENT_MS
  const first = new Map<string, { at: number; tookMs: number }>()
  for (;;) {
    const lookedAt = performance.now()
    const heard = (await logs.exchange('migrate', null)).filter(({ silentMs }) => silentMs < SILENT_MS)
    if (heard.length === 0 || lookedAt > end) return null
    // One that has ended with events in its log told so as its last word, which only grows older.
    const tookMs = performance.now() - lookedAt
    for (const { host, silentMs } of heard) {
      const at = lookedAt - silentMs
      const before = first.get(host)
      if (!before) first.set(host, { at, tookMs })
      else if (at - before.at > LOOK_MS + before.tookMs) return host
    }
    await sleep(LOOK_MS)
  }
}

function refusal(option: string, name: string, who: string): AppError {
  return new AppError('conflict', `--${option}: a server runs on ${name} (${who}): stop it first.`)
}
