import { eventDigest } from '../../event-digest.ts'
import { issuesJson } from '../../issues.ts'
import { type Aside, type Purchase, purchaseOf } from '../../purchase.ts'
import type { EventBatch, StoredEvent } from '../../store.ts'
import { unfit } from '../../unfit.ts'

/** A batch as it goes to the writer thread: columns, since they cross in a third of the time of objects. */
export interface PackedBatch {
  id: string
  siteIds: string[]
  eventIds: string[]
  userIds: string[]
  sessionIds: string[]
  types: string[]
  /** JSON; null for no payload. */
  payloads: (string | null)[]
  issues: (string | null)[]
  occurredAt: Float64Array
  receivedAt: Float64Array
  seq: Float64Array
  /** What tells an event from another under its id. */
  digests: Float64Array
  /** 1 for what a browser's key sent. */
  claimed: Uint8Array
  /** By the event's index. */
  purchases: Map<number, { purchase: Purchase } | { aside: Aside }>
  /** Events that this engine cannot keep, by index: why. */
  reasons: Record<number, string>
}

export function packBatch({ id, events }: EventBatch): PackedBatch {
  const packed: PackedBatch = {
    id,
    siteIds: events.map((event) => event.siteId),
    eventIds: events.map((event) => event.eventId),
    userIds: events.map((event) => event.userId),
    sessionIds: events.map((event) => event.sessionId),
    types: events.map((event) => event.type),
    payloads: new Array<string | null>(events.length).fill(null),
    issues: new Array<string | null>(events.length).fill(null),
    occurredAt: new Float64Array(events.length),
    receivedAt: new Float64Array(events.length),
    seq: new Float64Array(events.length),
    digests: new Float64Array(events.length),
    claimed: new Uint8Array(events.length),
    purchases: new Map(),
    reasons: {},
  }
  for (const [index, event] of events.entries()) {
    const reason = unfit(event) ?? packJson(packed, index, event)
    if (reason !== null) {
      packed.reasons[index] = reason
      continue
    }
    packed.occurredAt[index] = event.occurredAt
    packed.receivedAt[index] = event.receivedAt
    packed.seq[index] = event.seq
    packed.digests[index] = eventDigest(event, packed.payloads[index]!)
    packed.claimed[index] = event.trust === 'claimed' ? 1 : 0
    const purchase = purchaseOf(event)
    if (purchase) packed.purchases.set(index, purchase)
  }
  return packed
}

/** JSON escapes NUL and half surrogates, so every payload that came as JSON comes back the same. */
function packJson(packed: PackedBatch, index: number, { payload, issues }: StoredEvent): string | null {
  try {
    packed.payloads[index] = payload === null ? null : (JSON.stringify(payload) ?? null)
    packed.issues[index] = issuesJson(issues)
    return null
  } catch {
    return 'payload cannot be written as JSON'
  }
}
