import { v5, v7 } from 'uuid'

/** Any fixed UUID; it only keeps our derived ids apart from other people's. */
const NAMESPACE = 'b9c5a1de-6d2c-4a63-9d0b-5a8f3e2c7a10'

/**
 * Ids for events that came without one: derived from the request's Idempotency-Key, so that a retry makes the same
 * ids, else random (UUIDv7), so that two equal events are two events.
 */
export function createIds(siteId: string, idempotencyKey: string | undefined): (index: number) => string {
  if (idempotencyKey === undefined) return () => v7()
  return (index) => v5(`${siteId}\n${idempotencyKey}\n${index}`, NAMESPACE)
}
