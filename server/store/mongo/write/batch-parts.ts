import { Buffer } from 'node:buffer'
import type { BatchOutcome, EventBatch, EventFate, StoredEvent } from '../../store.ts'
import { countFates } from './ledger.ts'

/** Of figures in one row of the ledger: a document may have 16 MB, and the row has the outcome besides. */
const MAX_BYTES = 12 * 1024 * 1024
/** What the figures of an event have around its texts, at most. */
const EVENT_BYTES = 400
/** Of one UTF-16 unit as JSON, at most: \u001f. */
const UNIT_BYTES = 6

/**
 * A batch as one or several whose figures each fit into a row of the ledger, whatever the ids that somebody sends.
 * Depends on the batch alone: one that is run again is divided as before.
 */
export function partsOf(batch: EventBatch): EventBatch[] {
  let most = 0
  for (const event of batch.events) {
    most += EVENT_BYTES
    for (const text of textsOf(event)) most += UNIT_BYTES * text.length
  }
  if (most <= MAX_BYTES) return [batch]
  const parts: EventBatch[] = []
  let events: StoredEvent[] = []
  let bytes = 0
  const end = () => parts.push({ id: `${batch.id} part ${parts.length + 1}`, events })
  for (const event of batch.events) {
    const ofEvent = textsOf(event).reduce((sum, text) => sum + Buffer.byteLength(JSON.stringify(text)), EVENT_BYTES)
    if (events.length > 0 && bytes + ofEvent > MAX_BYTES) {
      end()
      events = []
      bytes = 0
    }
    events.push(event)
    bytes += ofEvent
  }
  end()
  return parts.length === 1 ? [batch] : parts
}

/** What became of the parts, as of the whole. */
export function joined(outcomes: readonly BatchOutcome[]): BatchOutcome {
  const fates: EventFate[] = []
  const reasons: Record<number, string> = {}
  const doubtful: number[] = []
  for (const outcome of outcomes) {
    for (const index of outcome.doubtful ?? []) doubtful.push(fates.length + index)
    for (const [index, reason] of Object.entries(outcome.reasons)) reasons[fates.length + Number(index)] = reason
    fates.push(...outcome.fates)
  }
  return countFates(fates, reasons, doubtful)
}

/** As often as figures have them: those of an order name its user and session again (summary.ts). */
function textsOf({ userId, sessionId, eventId, type, payload }: StoredEvent): string[] {
  const texts =
    type === 'purchase' ? [userId, sessionId, userId, sessionId, eventId, payload?.orderId] : [userId, sessionId]
  return texts.filter((text): text is string => typeof text === 'string')
}
