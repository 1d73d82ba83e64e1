import { setTimeout as sleep } from 'node:timers/promises'
import type { Collections } from '../collections.ts'
import { holdHead, readHead } from '../write/head.ts'

/** For a fold that is being applied, which others may have to take over. */
const STILL_TIMEOUT_MS = 3000
const STILL_MS = 5
const REST_MS = 50

/** Rows in a state in which the ledger says which batches they have: no fold is applied while they are read. */
export async function settled<T>(rows: Collections, read: () => Promise<T>): Promise<T | 'changing'> {
  const release = await holdHead(rows)
  try {
    const deadline = performance.now() + STILL_TIMEOUT_MS
    for (;;) {
      const before = await readHead(rows)
      const found = await read()
      const after = await readHead(rows)
      if (before.phase !== 'apply' && after.phase !== 'apply' && before.applied === after.applied) return found
      if (performance.now() > deadline) return 'changing'
      await sleep(STILL_MS)
    }
  } finally {
    await release()
  }
}

/** Waits for the batches that are begun by now; false when one of them does not come to its end. */
export async function batchesEnded(
  rows: Collections,
  settle: () => Promise<void>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const ids = async (filter: object) =>
    (
      await rows.ledger
        .find({ ...filter, state: { $in: ['prep', 'left', 'done'] } }, { projection: { _id: 1 } })
        .toArray()
    ).map((row) => row._id)
  const deadline = performance.now() + timeoutMs
  let open = await ids({})
  while (open.length > 0) {
    if (performance.now() > deadline) return false
    await settle()
    open = await ids({ _id: { $in: open } })
    if (open.length > 0) await sleep(REST_MS, undefined, { signal })
  }
  return true
}
