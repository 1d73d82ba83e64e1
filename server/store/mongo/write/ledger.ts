import { Binary } from 'mongodb'
import { AppError } from '../../../errors.ts'
import type { BatchOutcome, EventFate } from '../../store.ts'
import { isDuplicateKey, READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import type { BatchRow } from '../rows.ts'
import { type Figures, packFigures } from './summary.ts'

/** Begins a batch, or tells how far it came when it was run before. */
export async function beginBatch({ ledger }: Collections, batchId: string): Promise<BatchRow> {
  const begin = () =>
    ledger.findOneAndUpdate(
      { _id: batchId },
      { $setOnInsert: { state: 'prep', begunAt: new Date() } },
      { upsert: true, returnDocument: 'after', projection },
    )
  // Two that begin the same batch at once: the slower finds the row of the faster.
  const row = await begin().catch((error: unknown) => {
    if (isDuplicateKey(error)) return begin()
    throw error
  })
  if (!row) throw new AppError('unavailable', `The ledger did not take batch ${batchId}.`)
  return row
}

/** All but the figures, which are long. */
const projection = { summary: 0 }

/**
 * Every event of the batch is stored: its figures may be folded. Returns the row as it is now, which is another run's
 * if that was faster; both came to the same outcome.
 */
export async function finishBatch(
  { ledger }: Collections,
  batchId: string,
  outcome: BatchOutcome,
  figures: Figures,
): Promise<{ row: BatchRow; isOwn: boolean }> {
  const { fates, reasons, stored } = outcome
  const finished = {
    events: fates.length,
    stored,
    duplicates: fates.flatMap((fate, index) => (fate === 'duplicate' ? [index] : [])),
    reasons: Object.entries(reasons).map(([index, reason]): [number, string] => [Number(index), reason]),
    // A batch without anything new is in every figure already.
    ...(stored > 0
      ? { state: 'done' as const, rows: figures.rows, summary: new Binary(packFigures(figures)) }
      : { state: 'folded' as const, foldedAt: new Date() }),
  }
  const own = await ledger.findOneAndUpdate(
    { _id: batchId, state: 'prep' },
    { $set: finished },
    { returnDocument: 'after', projection },
  )
  const row = own ?? (await ledger.findOne({ _id: batchId }, { projection }))
  if (!row || row.state === 'prep') throw new AppError('unavailable', `The ledger lost batch ${batchId}.`)
  return { row, isOwn: own !== null }
}

export function outcomeOf({ events = 0, duplicates = [], reasons = [] }: BatchRow): BatchOutcome {
  const fates = new Array<EventFate>(events).fill('stored')
  for (const [index] of reasons) fates[index] = 'refused'
  // A duplicate may have a reason as well.
  for (const index of duplicates) fates[index] = 'duplicate'
  return countFates(fates, Object.fromEntries(reasons))
}

export function countFates(fates: EventFate[], reasons: Record<number, string>): BatchOutcome {
  const outcome = { fates, reasons, stored: 0, duplicate: 0, refused: 0 }
  for (const fate of fates) outcome[fate] += 1
  return outcome
}

/** Batches that are finished and in no figure yet, or not in all. */
export async function unfoldedBatches({ ledger }: Collections): Promise<string[]> {
  const rows = ledger.find({ state: 'done' }, { projection: { _id: 1 }, maxTimeMS: READ_TIMEOUT_MS })
  return rows.map((row) => row._id).toArray()
}

/** Those of them that no fold has added yet. */
export async function stillUnfolded(
  { ledger }: Pick<Collections, 'ledger'>,
  batchIds: readonly string[],
): Promise<string[]> {
  const rows = ledger.find({ _id: { $in: [...batchIds] }, state: 'done' }, { projection: { _id: 1 } })
  return rows.map((row) => row._id).toArray()
}
