import { AppError } from '../../errors.ts'
import { needOf, oldestReader, type PutBack, type StoreState } from '../steps.ts'
import { createConnections, reaching } from './client.ts'
import { type Collections, collectionsOf } from './collections.ts'
import { copyName } from './copies.ts'
import { FIRST_MONGO_FORMAT, MONGO_FORMAT, mongoSteps } from './steps.ts'

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

/**
 * Puts the copies of before the last change in the place of what was changed. Every program must have ended. Events and
 * what only adds to them stay, so that figures of events that came since are to be counted again. AppError not_found
 * without a copy.
 */
export async function putBackMongo(url: string): Promise<PutBack> {
  return withRows(url, async (rows) => {
    const copy = await rows.steps.findOne({ _id: 'copy' })
    if (!copy?.format)
      throw new AppError('not_found', 'There is no copy in the database: no step has changed it of late.')
    const { format, collections = [], madeAt = 0 } = copy
    // No program opens it until all of it is there.
    await rows.meta.updateOne({ _id: 'store' }, { $set: { version: Number.MAX_SAFE_INTEGER, restoring: true } })
    for (const name of collections) {
      await rows.database.collection(name).deleteMany({})
      await rows.database
        .collection(copyName(format, name))
        .aggregate([{ $match: {} }, { $merge: { into: name } }])
        .toArray()
    }
    await rows.meta.replaceOne(
      { _id: 'store' },
      { version: oldestReader(mongoSteps, format, FIRST_MONGO_FORMAT), format },
    )
    for (const name of collections) await rows.database.collection(copyName(format, name)).drop()
    await rows.steps.deleteOne({ _id: 'copy' })
    return { format, madeAt, aside: null }
  })
}

async function withRows<T>(url: string, work: (rows: Collections) => Promise<T>): Promise<T> {
  const { writing, place, connect, close } = createConnections(url)
  try {
    await reaching(place, connect)
    return await reaching(place, () => work(collectionsOf(writing)))
  } finally {
    await close()
  }
}
