import type { StoredEvent } from './store.ts'

/**
 * What two events under one id are held against: a repetition has the same, another event nearly always another one.
 * 33 bits of who did what, then 14 of when; 0 there for a time that is that of the arrival, since a client that leaves
 * the time out sends its event again at another one. A safe integer of six bytes.
 */
export function eventDigest(
  event: Pick<StoredEvent, 'userId' | 'sessionId' | 'type' | 'occurredAt' | 'receivedAt'>,
  payloadJson: string | null,
): number {
  const { userId, sessionId, type, occurredAt, receivedAt } = event
  const content = hash(`${userId}\0${sessionId}\0${type}\0${payloadJson ?? ''}`)
  const time = occurredAt === receivedAt ? 0 : 1 + (Math.abs(occurredAt) % (TIMES - 1))
  return content * TIMES + time
}

/** Whether two events with one id are different ones. Null for an event that was stored without a digest. */
export function isOtherEvent(stored: number | null | undefined, digest: number): boolean {
  if (stored === null || stored === undefined) return false
  if (Math.floor(stored / TIMES) !== Math.floor(digest / TIMES)) return true
  const [storedTime, time] = [stored % TIMES, digest % TIMES]
  return storedTime !== 0 && time !== 0 && storedTime !== time
}

/** Why an event under an id that another one has is not stored. */
export const ID_OF_ANOTHER = 'eventId was used before by another event'

const TIMES = 2 ** 14

/** 33 bits of a text (after cyrb53 by bryc, public domain). */
function hash(text: string): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 2 ** 32 * (b & 1) + (a >>> 0)
}
