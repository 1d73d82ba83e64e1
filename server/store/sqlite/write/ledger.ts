import type { BatchOutcome, EventFate } from '../../store.ts'
import type { Database } from '../database.ts'

/** A retry comes within minutes; older rows only cost room. */
const KEPT_BATCHES = 10_000

/** As it is kept: mostly every event is stored, so only the others are named. */
interface Outcome {
  events: number
  duplicates: number[]
  reasons: Record<number, string>
}

/** What a batch came to when it was run before. */
export function findOutcome(db: Database, batch: { id: string }): BatchOutcome | undefined {
  const row = db.get<{ outcome: string }>('SELECT outcome FROM batches WHERE id = ?', batch.id)
  if (!row) return undefined
  const { events, duplicates, reasons } = JSON.parse(row.outcome) as Outcome
  const fates = new Array<EventFate>(events).fill('stored')
  for (const index of Object.keys(reasons)) fates[Number(index)] = 'refused'
  // A duplicate may have a reason as well.
  for (const index of duplicates) fates[index] = 'duplicate'
  return outcomeOf(fates, reasons)
}

export function saveOutcome(
  db: Database,
  batchId: string,
  fates: EventFate[],
  reasons: Record<number, string>,
): BatchOutcome {
  const duplicates = fates.flatMap((fate, index) => (fate === 'duplicate' ? [index] : []))
  const outcome: Outcome = { events: fates.length, duplicates, reasons }
  db.run('INSERT INTO batches (id, outcome) VALUES (?, ?)', batchId, JSON.stringify(outcome))
  db.run('DELETE FROM batches WHERE batch_no <= (SELECT max(batch_no) FROM batches) - ?', KEPT_BATCHES)
  return outcomeOf(fates, reasons)
}

function outcomeOf(fates: EventFate[], reasons: Record<number, string>): BatchOutcome {
  const outcome = { fates, reasons, stored: 0, duplicate: 0, refused: 0 }
  for (const fate of fates) outcome[fate] += 1
  return outcome
}
