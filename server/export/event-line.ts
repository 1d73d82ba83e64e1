import type { StoredEvent } from '../store/store.ts'

/** One event as a line of NDJSON: the fields of the journey's answer, with what orders events and what is wrong. */
export function eventLine(event: StoredEvent): string {
  const { eventId, siteId, userId, sessionId, type, occurredAt, receivedAt, seq, trust, payload, issues } = event
  return JSON.stringify({
    eventId,
    siteId,
    userId,
    sessionId,
    type,
    occurredAt: new Date(occurredAt).toISOString(),
    receivedAt: new Date(receivedAt).toISOString(),
    seq,
    trust,
    payload,
    issues,
  })
}
