import type { PayloadIssue } from '../../../../trpc/schema/event.ts'
import type { StoredEvent } from '../../store.ts'
import { trustOf } from '../order-rank.ts'
import { idOfRowId, siteOfRowId, userOfRowId } from '../row-id.ts'
import type { EventRow } from '../rows.ts'

export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    eventId: idOfRowId(row._id),
    siteId: siteOfRowId(row._id),
    userId: userOfRowId(row.user),
    sessionId: row.session,
    type: row.type,
    payload: row.payload === null ? null : (JSON.parse(row.payload) as Record<string, unknown>),
    occurredAt: row.at,
    receivedAt: row.received,
    seq: row.seq,
    trust: trustOf(row),
    issues: row.issues === null ? null : (JSON.parse(row.issues) as PayloadIssue[]),
  }
}
