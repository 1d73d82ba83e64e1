import type { PayloadIssue } from '../../../../trpc/schema/event.ts'
import type { StoredEvent } from '../../store.ts'
import { decodeEventId } from '../event-id.ts'

/** A row of a month's table with the names its numbers stand for. */
export interface EventRow {
  event_no: number
  event_id: string | Uint8Array
  site_id: string
  user_id: string
  session_id: string
  type: string
  payload: string | null
  occurred_at: number
  received_at: number
  seq: number
  issues: string | null
  claimed: number
}

export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    eventId: decodeEventId(row.event_id),
    siteId: row.site_id,
    userId: row.user_id,
    sessionId: row.session_id,
    type: row.type,
    payload: row.payload === null ? null : (JSON.parse(row.payload) as Record<string, unknown>),
    occurredAt: row.occurred_at,
    receivedAt: row.received_at,
    seq: row.seq,
    trust: row.claimed === 1 ? 'claimed' : 'verified',
    issues: row.issues === null ? null : (JSON.parse(row.issues) as PayloadIssue[]),
  }
}
