import { randomUUID } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { type KeepEvents, needOf, oldestReader, type PutBack, type StoreState } from '../steps.ts'
import { createConnections, reaching } from './client.ts'
import { type Collections, collectionsOf } from './collections.ts'
import { copyName } from './copies.ts'
import { toStoredEvent } from './read/event-row.ts'
import { FIRST_MONGO_FORMAT, MONGO_FORMAT, mongoSteps } from './steps.ts'
import { claimTag } from './write/claims.ts'
import { Folder } from './write/folder.ts'
import { Gate } from './write/gate.ts'
import type { Inserting } from './write/insert-batch.ts'
import { unfoldedBatches } from './write/ledger.ts'
import { endBatch, endGoneBatches } from './write/left-batches.ts'

/** What this program would do to a database; one without a store needs nothing. */
export async function mongoState(url: string): Promise<StoreState> {
  return withRows(url, async (rows) => {
    const meta = await rows.meta.findOne({ _id: 'store' })
    const version = meta?.version ?? FIRST_MONGO_FORMAT
    const format = meta ? (meta.format ?? version) : MONGO_FORMAT
    const copy = await rows.steps.findOne({ _id: 'copy' })
    return {
      format,
      oldestReader: version,
      known: MONGO_FORMAT,
      need: needOf(mongoSteps, { format, oldestReader: version }),
      copy: copy && { at: copyName(copy.format ?? 0, '*'), format: copy.format ?? 0, madeAt: copy.madeAt ?? 0 },
    }
  })
}

/** Whether a server has ever used a database. Makes nothing in it. */
export function hasMongoStore(url: string): Promise<boolean> {
  return withRows(url, async (rows) => (await rows.meta.findOne({ _id: 'store' })) !== null)
}

/**
 * Puts the copies of before the last change in the place of what was changed. Every program must have ended. Events that
 * came since are given to `keep` and taken out: the figures of before do not have them. May stop anywhere and be run
 * again. AppError not_found without a copy.
 */
export async function putBackMongo(url: string, keep: KeepEvents): Promise<PutBack> {
  return withRows(url, (rows, place, long) => putBack(rows, place, keep, long))
}

/** `long` gives the same collections over a connection on which commands may take hours. */
export async function putBack(
  rows: Collections,
  place: string,
  keep: KeepEvents,
  long: () => Promise<Collections> = async () => rows,
): Promise<PutBack> {
  const copy = await rows.steps.findOne({ _id: 'copy' })
  if (!copy?.format)
    throw new AppError('not_found', 'There is no copy in the database: no step has changed it of late.')
  const { format, collections = [], madeAt = 0 } = copy
  const meta = await rows.meta.findOne({ _id: 'store' })
  const isThere = meta?.format === format && !meta.restoring && meta.version <= format
  if (!isThere) {
    // A step that was cut short has been followed by no batch of its format.
    if (meta?.format === MONGO_FORMAT) await finishBatches(rows, place)
    // No program opens it until all of it is there.
    await rows.meta.updateOne({ _id: 'store' }, { $set: { version: Number.MAX_SAFE_INTEGER, restoring: true } })
    await takeEventsSince(rows, madeAt, keep)
    const { database } = await long()
    for (const name of collections) {
      await database.collection(name).deleteMany({})
      await database
        .collection(copyName(format, name))
        .aggregate([{ $match: {} }, { $merge: { into: name } }])
        .toArray()
    }
    const version = oldestReader(mongoSteps, format, FIRST_MONGO_FORMAT)
    await rows.meta.replaceOne({ _id: 'store' }, { version, format })
  }
  // Before a copy goes: half of the copies would be put in the place of what all of them have become.
  await rows.steps.deleteOne({ _id: 'copy' })
  for (const name of collections) await rows.database.collection(copyName(format, name)).drop()
  return { format, madeAt, aside: null }
}

/** Claims looked at in one step. */
const STEP_CLAIMS = 10_000
/** Events that are read at once, be they large. */
const STEP_EVENTS = 200

/** Events of the batches that no fold had when the copy was made: told to `keep` before they go. */
async function takeEventsSince(rows: Collections, madeAt: number, keep: KeepEvents): Promise<void> {
  const since = new Set<string>()
  const batches = rows.ledger.find({ foldedAt: { $gte: new Date(madeAt) } }, { projection: { begunAt: 1 } })
  for await (const batch of batches) since.add(claimTag(batch))
  if (since.size === 0) return
  const projection = { batch: 1, month: 1 }
  for (let after = ''; ; ) {
    const claims = await rows.claims
      .find({ _id: { $gt: after } }, { projection })
      .sort({ _id: 1 })
      .limit(STEP_CLAIMS)
      .toArray()
    const taken = claims.filter(({ batch }) => since.has(batch))
    for (const month of new Set(taken.map((claim) => claim.month))) {
      const ofMonth = taken.filter((claim) => claim.month === month).map(({ _id }) => _id)
      for (let from = 0; from < ofMonth.length; from += STEP_EVENTS) {
        const ids = { _id: { $in: ofMonth.slice(from, from + STEP_EVENTS) } }
        const events = await rows.events(month).find(ids).sort({ _id: 1 }).toArray()
        if (events.length > 0) await keep(events.map(toStoredEvent))
        await rows.events(month).deleteMany(ids)
        await rows.claims.deleteMany(ids)
      }
    }
    if (claims.length < STEP_CLAIMS) return
    after = claims.at(-1)!._id
  }
}

/**
 * The release before would misread what this one has begun: folds that stand, figures of batches that wait for one, and
 * batches that were cut short, of which the log's are begun anew by whoever has it.
 */
async function finishBatches(rows: Collections, place: string): Promise<void> {
  const folder = new Folder(rows, new Gate())
  const inserting: Inserting = {
    ...{ rows, owner: randomUUID(), folder, zones: new Map(), months: new Set(), place },
    endBatch: (batch) => endBatch(inserting, batch),
  }
  await endGoneBatches(inserting, NOT_HEARD_OF_MS)
  await folder.finishStanding()
  await folder.settle(await unfoldedBatches(rows))
  await folder.close()
  await rows.ledger.deleteMany({ state: 'ended' })
}

/** Every program has ended. */
const NOT_HEARD_OF_MS = 0

async function withRows<T>(
  url: string,
  work: (rows: Collections, place: string, long: () => Promise<Collections>) => Promise<T>,
): Promise<T> {
  const { writing, place, long, connect, close } = createConnections(url)
  try {
    await reaching(place, connect)
    return await reaching(place, () => work(collectionsOf(writing), place, async () => collectionsOf(await long())))
  } finally {
    await close()
  }
}
