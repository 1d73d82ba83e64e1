import { setTimeout as sleep } from 'node:timers/promises'
import type { LogBoard } from './store.ts'

/** A server tells the others each second; one that was silent for so long is gone. */
const SILENT_MS = 20_000
const LOOK_MS = 500

/** Where a server is that tells the others of its database of itself; null where none does. */
export async function livingHost(logs: LogBoard): Promise<string | null> {
  const end = performance.now() + SILENT_MS
  const first = new Map<string, { at: number; tookMs: number }>()
  for (;;) {
    const lookedAt = performance.now()
    const heard = (await logs.exchange('', null)).filter(({ silentMs }) => silentMs < SILENT_MS)
    if (heard.length === 0 || lookedAt > end) return null
    // One that has ended with events in its log told so as its last word, which only grows older.
    const tookMs = performance.now() - lookedAt
    for (const { name, host, silentMs } of heard) {
      const at = lookedAt - silentMs
      const before = first.get(name)
      if (!before) first.set(name, { at, tookMs })
      else if (at - before.at > LOOK_MS + before.tookMs) return host
    }
    await sleep(LOOK_MS)
  }
}
