import type { EventBatch, StoredEvent } from '../../store.ts'
import { causal } from '../causal.ts'
import type { Collections } from '../collections.ts'
import { toStoredEvent } from '../read/event-row.ts'
import type { BatchRow, ClaimRow } from '../rows.ts'
import { claimTag } from './claims.ts'
import { type Inserting, insertBatch } from './insert-batch.ts'
import { areGone, GONE_MS } from './writers.ts'

const STEP_IDS = 1000
/** Claims looked at in one step where a batch does not tell its ids. */
const STEP_CLAIMS = 10_000

/** Unfinished batches whose process has not been heard of for long. */
export async function goneBatches(rows: Collections, goneMs = GONE_MS): Promise<BatchRow[]> {
  const open = rows.ledger.find({ state: { $in: ['prep', 'left'] } }, { projection: { summary: 0, ids: 0 } })
  return areGone(rows, await open.toArray(), goneMs)
}

/** Brings them to their end. Returns their ids. */
export async function endGoneBatches(inserting: Inserting, goneMs = GONE_MS): Promise<string[]> {
  const ended: string[] = []
  for (const batch of await goneBatches(inserting.rows, goneMs)) {
    await endBatch(inserting, batch)
    ended.push(batch._id)
  }
  return ended
}

/**
 * Brings a batch to its end whose process is gone: its machine may be lost with the log that has the events. Rows that it
 * has written are stored as a batch of their own; ids that it has claimed without a row are free again. Any number of
 * processes may do so at once, and each may die anywhere.
 *
 * Should its process come back, it finds its life ended (`ended`, the marks of its claims) and begins the batch anew:
 * what others have stored of it are duplicates then, the rest is stored.
 */
export async function endBatch(inserting: Inserting, { _id, begunAt }: BatchRow): Promise<void> {
  const own = causal(inserting.rows, null)
  try {
    await end(inserting, own.rows, { _id, begunAt })
  } finally {
    await own.end()
  }
}

async function end(inserting: Inserting, rows: Collections, life: Pick<BatchRow, '_id' | 'begunAt'>): Promise<void> {
  const { _id, begunAt } = life
  await rows.ledger.updateOne(
    { ...life, state: 'prep' },
    { $set: { state: 'left' }, $addToSet: { ended: begunAt.getTime() } },
  )
  const batch = await rows.ledger.findOne({ ...life, state: 'left' }, { projection: { ids: 1 } })
  if (!batch) return
  const tag = claimTag(life)
  const left: EventBatch = { id: `${_id} left ${begunAt.getTime()}`, events: [] }
  for await (const claims of claimsOf(
    rows,
    batch.ids,
    (row) => row.batch === tag || row.batch.startsWith(`${left.id} `),
  ))
    left.events.push(...(await eventsOf(rows, claims)))
  if (left.events.length > 0) await insertBatch({ ...inserting, adopts: tag }, left)
  for await (const claims of claimsOf(rows, batch.ids, (row) => row.batch === tag))
    await rows.claims.deleteMany({ _id: { $in: claims.map((row) => row._id) }, batch: tag })
  await rows.ledger.updateOne(
    { ...life, state: 'left' },
    { $set: { state: 'ended', foldedAt: new Date() }, $unset: { ids: '' } },
  )
}

async function* claimsOf(
  { claims }: Collections,
  ids: BatchRow['ids'],
  isWanted: (row: ClaimRow) => boolean,
): AsyncGenerator<ClaimRow[]> {
  const known = ids && (JSON.parse(Buffer.from(ids.value()).toString()) as string[])
  let after = ''
  for (let from = 0; known ? from < known.length : true; from += STEP_IDS) {
    const found = known
      ? await claims.find({ _id: { $in: known.slice(from, from + STEP_IDS) } }).toArray()
      : await claims
          .find({ _id: { $gt: after } })
          .sort({ _id: 1 })
          .limit(STEP_CLAIMS)
          .toArray()
    const wanted = found.filter(isWanted)
    if (wanted.length > 0) yield wanted
    if (known) continue
    if (found.length < STEP_CLAIMS) return
    after = found.at(-1)!._id
  }
}

async function eventsOf(rows: Collections, claims: readonly ClaimRow[]): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for (const month of new Set(claims.map((claim) => claim.month))) {
    const ids = claims.filter((claim) => claim.month === month).map(({ _id }) => _id)
    const found = rows
      .events(month)
      .find({ _id: { $in: ids } })
      .sort({ _id: 1 })
    for (const row of await found.toArray()) events.push(toStoredEvent(row))
  }
  return events
}
