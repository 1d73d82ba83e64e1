import { AppError } from '../../errors.ts'
import type { Collections } from './collections.ts'
import type { MongoStep } from './steps.ts'

type CopiedName = NonNullable<MongoStep['of']>[number]

/** What a database of a mongod tells of the disk that it is on, and of a cluster does not. */
interface Room {
  fsTotalSize?: number
  fsUsedSize?: number
}

/**
 * Copies collections beside themselves, as `before_FORMAT_NAME`, in the place of older copies. One that a step cut short
 * has left is kept as it is: what it is a copy of may have been changed since. AppError unavailable, with nothing
 * changed, where the database says that its disk has no room.
 */
export async function keepCopies(
  rows: Collections,
  from: number,
  names: readonly CopiedName[],
  tell: (done: number, of: number) => void,
): Promise<void> {
  const before = await rows.steps.findOne({ _id: 'copy' })
  const isOfThisStep = before?.format === from && (await rows.meta.findOne({ _id: 'store', version: { $gt: from } }))
  if (isOfThisStep) return
  const database = rows.database
  const there = new Set((await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name))
  const copied = names.map((name) => rows[name].collectionName).filter((name) => there.has(name))
  const bytes = await Promise.all(copied.map(async (name) => (await database.command({ collStats: name })).storageSize))
  const wanted = 2 * bytes.reduce((sum, size) => sum + Number(size ?? 0), 0)
  const { fsTotalSize, fsUsedSize } = (await database.command({ dbStats: 1 })) as Room
  const free = fsTotalSize && fsUsedSize !== undefined ? fsTotalSize - fsUsedSize : Number.POSITIVE_INFINITY
  if (free < wanted)
    throw new AppError(
      'unavailable',
      `The database is to be brought to a newer format, of which a copy is kept first: that takes ${mebibytes(wanted)} MiB, and ${mebibytes(free)} MiB are free there. Make room; until then the release before goes on.`,
    )
  await rows.steps.deleteOne({ _id: 'copy' })
  for (const name of there) if (/^before_\d+_/.test(name)) await database.collection(name).drop()
  for (const [done, name] of copied.entries()) {
    tell(done, copied.length)
    await database
      .collection(name)
      .aggregate([{ $match: {} }, { $out: copyName(from, name) }])
      .toArray()
  }
  tell(copied.length, copied.length)
  await rows.steps.insertOne({ _id: 'copy', format: from, collections: copied, madeAt: Date.now() })
}

/** What a collection is called in a copy of a format. */
export function copyName(format: number, collection: string): string {
  return `before_${format}_${collection}`
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
