import { monthName, monthStart } from '../analysis/months.ts'
import { AppError } from '../errors.ts'
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

/** Why an event of a dropped month is refused; `month` is the first that is kept (YYYYMM). */
export function notKept(month: number): string {
  return `occurredAt is before ${monthName(month)}, from which on events are kept`
}

/** Events younger than this are never dropped, so that most batches need not ask which months are kept. */
export const ALWAYS_KEPT_MS = 27 * 86_400_000

/** Throws AppError invalid_input when months before this one (YYYYMM) may have events that are too young. */
export function assertDroppable(month: number): void {
  if (!(monthStart(month) >= 0)) throw new AppError('invalid_input', `${month} is no month from 1970-01 on.`)
  if (monthStart(month) > Date.now() - ALWAYS_KEPT_MS)
    throw new AppError(
      'invalid_input',
      `Events from before ${monthName(month)} are too young: a month is kept at least.`,
    )
}
