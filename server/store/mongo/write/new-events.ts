import { Buffer } from 'node:buffer'
import { monthOf } from '../../../analysis/months.ts'
import { eventDigest } from '../../event-digest.ts'
import { issuesJson } from '../../issues.ts'
import { purchaseOf } from '../../purchase.ts'
import type { EventBatch, StoredEvent } from '../../store.ts'
import { unfit } from '../../unfit.ts'
import { plainRowId, userRowId } from '../row-id.ts'
import type { EventRow } from '../rows.ts'

/** An event of a batch that can be kept, by its place there. */
export interface NewEvent {
  index: number
  event: StoredEvent
  reading: ReturnType<typeof purchaseOf>
  month: number
  digest: number
  row: EventRow
}

/** A document may have 16 MB; its other fields take less than the rest. */
const MAX_PAYLOAD_BYTES = 15 * 1024 * 1024

/** The events of a batch that can be kept, and why the others cannot. Depends on the batch alone. */
export function newEvents(batch: EventBatch): { events: NewEvent[]; reasons: Record<number, string> } {
  const events: NewEvent[] = []
  const reasons: Record<number, string> = {}
  for (const [index, event] of batch.events.entries()) {
    const reason = unfit(event)
    const json = reason === null ? jsonOf(event) : null
    if (reason !== null) reasons[index] = reason
    else if (json === null) reasons[index] = 'payload cannot be written as JSON'
    else if (json.bytes > MAX_PAYLOAD_BYTES) reasons[index] = 'payload is too large for a document'
    else events.push(newEvent(index, event, json))
  }
  return { events, reasons }
}

interface Json {
  payload: string | null
  issues: string | null
  bytes: number
}

function newEvent(index: number, event: StoredEvent, { payload, issues }: Json): NewEvent {
  const { siteId, eventId, userId, sessionId, type, occurredAt, seq, trust, receivedAt } = event
  const row: EventRow = {
    _id: plainRowId(siteId, eventId),
    user: userRowId(siteId, userId),
    session: sessionId,
    type,
    at: occurredAt,
    seq,
    received: receivedAt,
    payload,
    issues,
    ...(trust === 'claimed' && { claimed: true as const }),
  }
  return {
    index,
    event,
    reading: purchaseOf(event),
    month: monthOf(occurredAt),
    digest: eventDigest(event, payload),
    row,
  }
}

/** JSON escapes half surrogates, so every payload that came as JSON comes back the same. */
function jsonOf({ payload, issues }: StoredEvent): Json | null {
  try {
    const json = {
      payload: payload === null ? null : (JSON.stringify(payload) ?? null),
      issues: issuesJson(issues),
    }
    return { ...json, bytes: Buffer.byteLength(json.payload ?? '') + Buffer.byteLength(json.issues ?? '') }
  } catch {
    return null
  }
}
