import { isStorableText } from './purchase.ts'
import type { StoredEvent } from './store.ts'

const texts = ['siteId', 'eventId', 'userId', 'sessionId', 'type'] as const
const instants = ['occurredAt', 'receivedAt'] as const
/** Days and months are named by four digits of a year. */
const MAX_INSTANT = Date.UTC(9999, 0, 1)

/** Why no engine keeps the event, whatever its payload; null for one that is kept. */
export function unfit(event: StoredEvent): string | null {
  for (const name of texts) {
    const text = event[name]
    if (typeof text !== 'string' || text === '') return `${name} is not a text`
    if (!isStorableText(text)) return `${name} has a NUL or half of a surrogate pair`
  }
  for (const name of instants) {
    const instant = event[name]
    if (!Number.isInteger(instant) || instant < 0 || instant >= MAX_INSTANT)
      return `${name} is not a time between 1970 and 9999`
  }
  return Number.isSafeInteger(event.seq) ? null : 'seq is not a whole number'
}
