import { createHash } from 'node:crypto'
import type { Trust } from '../../trpc/schema/common.ts'
import { AppError } from '../errors.ts'

/** Which events each Idempotency-Key stood for. */
export interface KeyUses {
  /**
   * Remembers that a key made the ids of these events; what browsers claim uses no key up for servers. Throws AppError invalid_input where it made those of others: by
   * their ids they would be taken for a retry and be lost.
   */
  claim(siteId: string, trust: Trust, key: string, digest: string): void
}

/** Of what is kept of the events: a retry may be written in another way, and have another sentAt beside them and in them. */
export function digestOf(events: Iterable<unknown>): string {
  const hash = createHash('sha256')
  for (const event of events) hash.update(`${JSON.stringify(event)}\n`)
  return hash.digest('base64url')
}

/** About 200 bytes each. */
const MAX_KEYS = 10_000

/** Remembers the last keys of this process. Further back, or by another process, a key used again goes unnoticed. */
export function createKeyUses(maxKeys = MAX_KEYS): KeyUses {
  const digests = new Map<string, string>()
  return {
    claim(siteId, trust, key, digest) {
      const use = createHash('sha256').update(`${siteId}\n${trust}\n${key}`).digest('base64url')
      const known = digests.get(use)
      if (known !== undefined && known !== digest)
        throw new AppError(
          'invalid_input',
          'This Idempotency-Key was sent with other events before. Nothing of this request was taken: make a new key for every request, and send it again only with the same events.',
          { field: 'Idempotency-Key' },
        )
      // The last used is the last to be forgotten.
      digests.delete(use)
      digests.set(use, digest)
      if (digests.size > maxKeys) digests.delete(digests.keys().next().value!)
    },
  }
}
