import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow } from '../rows.ts'

const bounded = { maxTimeMS: READ_TIMEOUT_MS }
/** Folds that come in between so often are changes enough. */
const TRIES = 4

/**
 * Grows with each batch that is finished and with each fold, and asks for none: until the next fold batches are only
 * added to those that wait, and a fold has a number of its own. A fold that is certain counts as done, though the
 * ledger learns it row by row.
 */
export async function written(rows: Collections): Promise<string> {
  for (let tries = 1; ; tries++) {
    const head = await headOf(rows)
    const isCertain = head?.phase === 'apply'
    const waiting = await rows.ledger.countDocuments(
      { state: 'done', ...(isCertain && { _id: { $nin: head.batches } }) },
      bounded,
    )
    const after = await headOf(rows)
    const isOneState = after?.applied === head?.applied && after?.phase === head?.phase
    if (isOneState || tries >= TRIES) return `${(head?.applied ?? 0) + (isCertain ? 1 : 0)}.${waiting}`
  }
}

/** As it is now: what a majority has may be older than the ledger. */
function headOf({ head }: Collections): Promise<HeadRow | null> {
  return head.findOne({ _id: 'head' }, bounded)
}
