import { randomFillSync } from 'node:crypto'
import { v5, v7 } from 'uuid'

/** Any fixed UUID; it only keeps our derived ids apart from other people's. */
const NAMESPACE = 'b9c5a1de-6d2c-4a63-9d0b-5a8f3e2c7a10'

/**
 * Ids for events that came without one: derived from the request's Idempotency-Key, so that a retry makes the same
 * ids, else random (UUIDv7), so that two equal events are two events.
 */
export function createIds(siteId: string, idempotencyKey: string | undefined): (index: number) => string {
  if (idempotencyKey === undefined) return () => v7({ random: nextRandom() })
  return (index) => v5(`${siteId}\n${idempotencyKey}\n${index}`, NAMESPACE)
}

/** Random bytes are drawn for many ids at once: a draw costs as much as all else of an id. */
const pool = new Uint8Array(16 * 256)
let used = pool.length

function nextRandom(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}
