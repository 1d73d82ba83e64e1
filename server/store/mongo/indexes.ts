import { type Collection, type IndexDescription, MongoServerError } from 'mongodb'
import { AppError } from '../../errors.ts'
import type { OnProgress } from '../steps.ts'
import { isDuplicateKey } from './client.ts'
import { shardCommands, shardingOf } from './cluster/sharding.ts'
import type { Collections } from './collections.ts'
import { formatOf, migrate, newestMeta } from './migrate.ts'
import { MONGO_FORMAT } from './steps.ts'

/** A batch that comes again after this long finds its claims to be another's, and changes nothing (claimTag). */
const KEPT_BATCHES_DAYS = 30

/** Every sort of the user list is one of these, read in the one or the other direction; by user id it is the _id. */
const userIndexes: IndexDescription[] = [
  { key: { site: 1, events: 1, user: 1 } },
  { key: { site: 1, sessions: 1, user: 1 } },
  { key: { site: 1, orders: 1, user: 1 } },
  { key: { site: 1, firstAt: 1, user: 1 } },
  { key: { site: 1, lastAt: 1, user: 1 } },
]

/** Of batches that wait for a fold, the oldest first. */
const ledgerByAge: IndexDescription = { key: { state: 1, doneAt: 1, _id: 1 } }

/** The indexes of every collection but for the months of events. */
export const storeIndexes = {
  users: userIndexes,
  sessions: [{ key: { user: 1, startAt: 1, session: 1 } }],
  ledger: [
    ledgerByAge,
    { key: { state: 1, _id: 1 } },
    { key: { foldedAt: 1 }, expireAfterSeconds: KEPT_BATCHES_DAYS * 86_400 },
  ],
  plans: [{ key: { fold: 1 } }],
  accounts: [
    { key: { email: 1 }, unique: true },
    { key: { isFirst: 1 }, unique: true, sparse: true },
  ],
  logins: [{ key: { expiresAt: 1 } }],
  keys: [{ key: { siteId: 1, createdAt: 1, _id: 1 } }],
} as const satisfies Partial<Record<keyof Collections, readonly IndexDescription[]>>

/** They hold all that is asked for of many events at once, so that these are not read themselves. */
export const monthIndexes: IndexDescription[] = [
  { key: { user: 1, at: 1, seq: 1, type: 1 } },
  { key: { at: 1, user: 1, session: 1, type: 1 } },
]

/**
 * Makes what is missing; with `again` it looks even where everything was made before. An older database is brought to
 * the format of this program. `long` gives the same collections over a connection on which commands may take hours.
 * AppError conflict for one of a newer Veritas.
 */
export async function prepareDatabase(
  rows: Collections,
  {
    again = false,
    onProgress,
    long = async () => rows,
  }: { again?: boolean; onProgress?: OnProgress | undefined; long?: () => Promise<Collections> } = {},
): Promise<void> {
  const meta = await rows.meta.findOne({ _id: 'store' })
  if (meta && formatOf(meta) < MONGO_FORMAT) await migrate(await long(), onProgress)
  if (meta && !again) return
  const patient = await long()
  await Promise.all(
    Object.entries(storeIndexes).map(([name, indexes]) => {
      const collection = patient[name as keyof typeof storeIndexes] as unknown as Collection
      return makeIndexes(collection, indexes)
    }),
  )
  const idle = { applied: 0, phase: 'idle', batches: [], plan: '', parts: 0, owner: '', beat: 0, hold: '' } as const
  await unlessThere(rows.head.insertOne({ _id: 'head', ...idle, batches: [] }))
  // Last: whoever finds it finds everything.
  await unlessThere(rows.meta.insertOne(newestMeta()))
}

export async function prepareMonth(rows: Collections, month: number): Promise<void> {
  await makeIndexes(rows.events(month) as unknown as Collection, monthIndexes)
  await spreadMonth(rows, month)
  await unlessThere(rows.months.insertOne({ _id: month }))
}

/**
 * Spreads a month over the shards of a store that is spread (npm run mongo -- shard), so that none begins on one shard.
 * Where the account may not, or this is no cluster, the month stays whole, and `status` tells.
 */
async function spreadMonth(rows: Collections, month: number): Promise<void> {
  const { client, databaseName } = rows.database
  if (!(await isSpread(rows))) return
  const { collection, key } = shardingOf(month)
  await rows.events(month).createIndex(key)
  for (const command of shardCommands(databaseName, [{ collection, key }]))
    await client
      .db('admin')
      .command({ ...command, maxTimeMS: SPREAD_TIMEOUT_MS })
      .catch((error: unknown) => {
        if (!(error instanceof MongoServerError)) throw error
      })
}

/** Ids or the month before are spread: by a key that nothing else has an index of. */
async function isSpread(rows: Collections): Promise<boolean> {
  const last = await rows.months.findOne({}, { sort: { _id: -1 } })
  const looked = [rows.claims, ...(last ? [rows.events(last._id)] : [])] as unknown as Collection[]
  for (const collection of looked)
    for (const { key } of await collection.indexes().catch(() => []))
      if (Object.values(key).includes('hashed')) return true
  return false
}

const SPREAD_TIMEOUT_MS = 15_000
const OTHER_OPTIONS = 85
const OTHER_KEY = 86

/** AppError conflict, with what is to be done, where something else stands in the way of an index. */
async function makeIndexes(collection: Collection, indexes: readonly IndexDescription[]): Promise<void> {
  try {
    await collection.createIndexes([...indexes])
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error
    const { collectionName: name } = collection
    if (error.code === OTHER_OPTIONS || error.code === OTHER_KEY) {
      const index = /"name"\s*:\s*"([^"]+)"/.exec(error.message)?.[1] ?? 'NAME'
      throw new AppError(
        'conflict',
        `The index ${index} of ${name} is another than Veritas needs: ${dropAdvice(name, index)}`,
        {
          cause: error,
        },
      )
    }
    if (isDuplicateKey(error))
      throw new AppError('conflict', `An index of ${name} cannot be made: ${error.message.split('\n')[0]}`, {
        cause: error,
      })
    throw error
  }
}

export function dropAdvice(collection: string, index: string): string {
  return `db.getCollection("${collection}").dropIndex("${index}") in mongosh, then npm run mongo -- init.`
}

async function unlessThere(insertion: Promise<unknown>): Promise<void> {
  await insertion.catch((error: unknown) => {
    if (!isDuplicateKey(error)) throw error
  })
}
