import type { Freshness } from '../../trpc/schema/common.ts'
import { TELL_MS } from '../ingest/wal/told.ts'
import type { Wal } from '../ingest/wal/wal.ts'

/**
 * To which moment the store holds everything that any process on this data folder has accepted. What others tell may
 * be TELL_MS old: so much later they may have accepted something that nobody here knows of yet.
 */
export function freshnessOf(wal: Pick<Wal, 'waiting' | 'elsewhere'>, now: number): Freshness {
  const own = wal.waiting()
  const others = wal.elsewhere(now)
  const moments = [now]
  if (own.oldestAt !== null) moments.push(own.oldestAt - 1)
  if (others) moments.push(others.oldestAt === null ? now - TELL_MS : others.oldestAt - 1)
  return { completeTo: new Date(Math.min(...moments)).toISOString(), waiting: own.events + (others?.events ?? 0) }
}
