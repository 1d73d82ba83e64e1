import { v5 } from 'uuid'
import type { StoredEvent } from './store.ts'

/**
 * What two events under one id are held against: a repetition has the same, another event nearly always another one.
 * 33 bits of who did what, then 14 of when; 0 there for a time that is that of the arrival, since a client that leaves
 * the time out sends its event again at another one. Below zero when a browser's key claims it. A safe integer of six
 * bytes.
 */
export function eventDigest(
  event: Pick<StoredEvent, 'userId' | 'sessionId' | 'type' | 'occurredAt' | 'receivedAt' | 'trust'>,
  payloadJson: string | null,
): number {
  const { userId, sessionId, type, occurredAt, receivedAt, trust } = event
  const content = hash(`${userId}\0${sessionId}\0${type}\0${payloadJson ?? ''}`)
  const time = occurredAt === receivedAt ? 0 : 1 + (Math.abs(occurredAt) % (TIMES - 1))
  const digest = content * TIMES + time
  return trust === 'claimed' ? -1 - digest : digest
}

/** Whether two events with one id are different ones. Null for an event that was stored without a digest. */
export function isOtherEvent(stored: number | null | undefined, digest: number): boolean {
  if (stored === null || stored === undefined) return false
  const [before, now] = [withoutTrust(stored), withoutTrust(digest)]
  if (Math.floor(before / TIMES) !== Math.floor(now / TIMES)) return true
  const [storedTime, time] = [before % TIMES, now % TIMES]
  return storedTime !== 0 && time !== 0 && storedTime !== time
}

/**
 * Whether an event that a server states is to be stored beside the one that has its id, which anybody could have claimed:
 * ids of orders can be guessed, and keys of browsers read. What says the same is one event all the same, but for a
 * purchase, which makes its order verified.
 */
export function isBesideClaim(stored: number | null | undefined, digest: number, type: string): boolean {
  if (stored === null || stored === undefined || stored >= 0 || digest < 0) return false
  return type === 'purchase' || isOtherEvent(stored, digest)
}

/** The id under which it is stored then: the same one each time, so that it is stored once. */
export function idBesideClaim(eventId: string): string {
  return v5(eventId, VERIFIED)
}

/** Any fixed UUID. */
const VERIFIED = '6e0f6f0c-4d0d-4b0e-9a53-3c1c2a7a5c11'

/** Why an event under an id that another one has is not stored. */
export const ID_OF_ANOTHER = 'eventId was used before by another event'

const TIMES = 2 ** 14

function withoutTrust(digest: number): number {
  return digest < 0 ? -1 - digest : digest
}

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
