import { Buffer } from 'node:buffer'
import { Binary } from 'mongodb'
import { AppError } from '../../../errors.ts'
import type { BatchOutcome, EventFate } from '../../store.ts'
import { isDuplicateKey, READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import type { BatchRow } from '../rows.ts'
import { type Figures, packFigures } from './summary.ts'

/** Begins a batch, or tells how far it came when it was run before. */
export async function beginBatch(
  { ledger }: Collections,
  batchId: string,
  owner: string,
  ids: readonly string[],
): Promise<BatchRow> {
  const kept = keptIds(ids)
  // One whose life before was ended by others begins anew, under another mark (claimTag).
  const ended = await ledger.findOne({ _id: batchId, state: 'ended' }, { projection: { begunAt: 1 } })
  if (ended) {
    const begunAt = new Date(Math.max(Date.now(), ended.begunAt.getTime() + 1))
    await ledger.updateOne(
      { _id: batchId, state: 'ended', begunAt: ended.begunAt },
      { $set: { state: 'prep', begunAt, ...(kept && { ids: kept }) }, $unset: { foldedAt: '' } },
    )
  }
  const begin = () =>
    ledger.findOneAndUpdate(
      { _id: batchId },
      { $setOnInsert: { state: 'prep', begunAt: new Date(), ...(kept && { ids: kept }) }, $set: { owner } },
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

/** The ids of a batch that is not finished are these by now. AppError unavailable when others are bringing it to its end. */
export async function noteIds(
  { ledger }: Collections,
  { _id, begunAt }: Pick<BatchRow, '_id' | 'begunAt'>,
  ids: readonly string[],
): Promise<void> {
  const kept = keptIds(ids)
  const change = kept ? { $set: { ids: kept } } : { $unset: { ids: '' as const } }
  const { matchedCount } = await ledger.updateOne({ _id, begunAt, state: 'prep' }, change)
  if (matchedCount === 0)
    throw new AppError('unavailable', `Batch ${_id} is being brought to its end, or was stored, by others.`)
}

/** A batch of which nothing is kept is forgotten, unless claims of lives of before are void by its row. */
export async function forgetBatch(
  { ledger }: Collections,
  { _id, begunAt }: Pick<BatchRow, '_id' | 'begunAt'>,
): Promise<void> {
  await ledger.deleteOne({ _id, begunAt, state: 'prep', ended: { $exists: false } })
}

/** Longer lists are not kept: what such a batch leaves is looked for among all claims. */
const MAX_IDS_BYTES = 2 * 1024 * 1024

function keptIds(ids: readonly string[]): Binary | null {
  const packed = Buffer.from(JSON.stringify(ids))
  return packed.length > MAX_IDS_BYTES ? null : new Binary(packed)
}

/** All but the figures and ids, which are long. */
const projection = { summary: 0, ids: 0 } as const

/**
 * Every event of the batch is stored: its figures may be folded. Returns the row as it is now, which is another run's
 * if that was faster; both came to the same outcome.
 */
export async function finishBatch(
  { ledger }: Collections,
  { _id: batchId, begunAt }: Pick<BatchRow, '_id' | 'begunAt'>,
  outcome: BatchOutcome,
  figures: Figures,
): Promise<{ row: BatchRow; isOwn: boolean }> {
  const { fates, reasons, stored, doubtful } = outcome
  const finished = {
    events: fates.length,
    stored,
    duplicates: fates.flatMap((fate, index) => (fate === 'duplicate' ? [index] : [])),
    reasons: Object.entries(reasons).map(([index, reason]): [number, string] => [Number(index), reason]),
    ...(doubtful && { doubtful }),
    // A batch without anything new is in every figure already.
    ...(stored > 0
      ? { state: 'done' as const, rows: figures.rows, summary: new Binary(packFigures(figures)) }
      : { state: 'folded' as const, foldedAt: new Date() }),
  }
  const own = await ledger.findOneAndUpdate(
    { _id: batchId, state: 'prep', begunAt },
    { $set: finished, $unset: { ids: '' }, $currentDate: { doneAt: true } },
    { returnDocument: 'after', projection },
  )
  const row = own ?? (await ledger.findOne({ _id: batchId }, { projection }))
  if (!row || row.state === 'prep') throw new AppError('unavailable', `The ledger lost batch ${batchId}.`)
  // Taken for gone, this process finds its claims void: what it has written is being counted by others.
  if (row.state === 'left' || row.state === 'ended')
    throw new AppError('unavailable', `Others have ended batch ${batchId}, which took too long.`)
  return { row, isOwn: own !== null }
}

export function outcomeOf({ events = 0, duplicates = [], reasons = [], doubtful }: BatchRow): BatchOutcome {
  const fates = new Array<EventFate>(events).fill('stored')
  for (const [index] of reasons) fates[index] = 'refused'
  // A duplicate may have a reason as well.
  for (const index of duplicates) fates[index] = 'duplicate'
  return countFates(fates, Object.fromEntries(reasons), doubtful)
}

export function countFates(fates: EventFate[], reasons: Record<number, string>, doubtful: number[] = []): BatchOutcome {
  const outcome = { fates, reasons, stored: 0, duplicate: 0, refused: 0, ...(doubtful.length > 0 && { doubtful }) }
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
