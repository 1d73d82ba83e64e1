import { randomUUID } from 'node:crypto'
import { type Document, type IndexDescription, MongoClient, MongoServerError } from 'mongodb'
import { addMonths, monthOf } from '../../../analysis/months.ts'
import { AppError } from '../../../errors.ts'
import { databaseName, hosts, longLimits, reaching } from '../client.ts'
import { type Collections, collectionsOf } from '../collections.ts'
import { UNAUTHORIZED, wrongAddress } from '../failure.ts'
import { dropAdvice, monthIndexes, prepareDatabase, prepareMonth, storeIndexes } from '../indexes.ts'
import { Folder } from '../write/folder.ts'
import { Gate } from '../write/gate.ts'
import type { Inserting } from '../write/insert-batch.ts'
import { endBatch, endGoneBatches, goneBatches } from '../write/left-batches.ts'
import {
  type Check,
  checkClock,
  checkFolds,
  checkIndexes,
  checkLeft,
  checkShards,
  checkSize,
  checkTopology,
  checkVersion,
  checkWriteConcern,
  topologyOf,
} from './checks.ts'
import { type CatalogueRow, type Sharding, shardCommands, shardings, shardLines, spreadOf } from './sharding.ts'

/** What operators do with a database beside running a server on it. */
export interface Deployment {
  /** Makes what is missing. */
  init(): Promise<void>
  check(): Promise<Check[]>
  /** How its collections are to be spread, the months to come included, as lines for mongosh. */
  shardLines(monthsAhead: number): Promise<string[]>
  /** The same, done; returns the collections. AppError conflict for a server that is no router of a cluster. */
  shard(monthsAhead: number): Promise<string[]>
  /** Brings batches to their end whose processes are gone; returns their ids. */
  finish(): Promise<string[]>
  close(): Promise<void>
}

/** Connects. AppError unavailable when the database does not answer. */
export async function openDeployment(url: string, now: () => number = Date.now): Promise<Deployment> {
  const client = createClient(url)
  const db = client.db(databaseName(url))
  const rows = collectionsOf(db)
  const run = <T>(call: () => Promise<T>) => reaching(`${hosts(url)}/${db.databaseName}`, call)
  await run(() => client.connect()).catch(async (error: unknown) => {
    await client.close()
    throw error
  })

  async function wanted(monthsAhead: number): Promise<Sharding[]> {
    const months = new Set((await rows.months.find({}).toArray()).map((row) => row._id))
    for (let ahead = 0; ahead <= monthsAhead; ahead++) months.add(addMonths(monthOf(now()), ahead))
    return shardings([...months].sort((a, b) => a - b))
  }

  return {
    init: () =>
      run(async () => {
        await prepareDatabase(rows, { again: true })
        for (const { _id: month } of await rows.months.find({}).toArray()) await prepareMonth(rows, month)
      }),

    check: () =>
      run(async () => {
        const before = Date.now()
        const hello = await db.admin().command({ hello: 1 })
        const after = Date.now()
        const [version, concern, size] = await Promise.all([
          db.admin().command({ buildInfo: 1 }),
          db
            .admin()
            .command({ getDefaultRWConcern: 1 })
            .catch(() => null),
          db.command({ dbStats: 1 }),
        ])
        const checks = [
          checkVersion(version),
          checkTopology(hello),
          checkWriteConcern(concern),
          checkClock(before, new Date(hello.localTime as Date).getTime(), after),
          checkIndexes(await missingIndexes(rows)),
          await folds(rows, now()),
          checkLeft((await goneBatches(rows)).map(({ _id }) => _id)),
          checkSize(size),
        ]
        if (topologyOf(hello) !== 'sharded') return checks
        const names = (await wanted(1)).map(({ collection }) => collection)
        return [...checks, checkShards(names, await shardedCollections(client, db.databaseName), now())]
      }),

    shardLines: (monthsAhead) => run(async () => shardLines(db.databaseName, await wanted(monthsAhead))),

    shard: (monthsAhead) =>
      run(async () => {
        const hello = await db.admin().command({ hello: 1 })
        if (topologyOf(hello) !== 'sharded')
          throw new AppError(
            'conflict',
            `The server at ${hosts(url)} is a ${topologyOf(hello)}, no router (mongos) of a sharded cluster: there is nothing to spread over.`,
          )
        const list = await wanted(monthsAhead)
        for (const { collection } of list)
          if (collection.startsWith('events_')) await prepareMonth(rows, Number(collection.slice('events_'.length)))
        for (const { collection, key } of list) await db.collection(collection).createIndex(key as Document)
        for (const command of shardCommands(db.databaseName, list)) await db.admin().command(command)
        return list.map(({ collection }) => collection)
      }),

    finish: () =>
      run(async () => {
        const folder = new Folder(rows, new Gate())
        const inserting: Inserting = {
          ...{ rows, owner: randomUUID(), folder, zones: new Map(), months: new Set(), place: hosts(url) },
          endBatch: (batch) => endBatch(inserting, batch),
        }
        const ended = await endGoneBatches(inserting)
        await folder.close()
        return ended
      }),

    close: () => client.close(),
  }
}

function createClient(url: string): MongoClient {
  try {
    return new MongoClient(url, longLimits)
  } catch (cause) {
    throw wrongAddress(url, cause)
  }
}

/** Indexes as "collection {key}", of those that are not as they should be with what is to be done. */
async function missingIndexes(rows: Collections): Promise<string[]> {
  const missing: string[] = []
  const look = async (
    collection: { collectionName: string; indexes(): Promise<Document[]> },
    wanted: IndexDescription[],
  ) => {
    const there = await collection.indexes().catch(() => [])
    const byKey = new Map(there.map((index) => [JSON.stringify(index.key), index]))
    for (const index of wanted) {
      const name = `${collection.collectionName} ${JSON.stringify(index.key)}`
      const found = byKey.get(JSON.stringify(index.key))
      if (!found) missing.push(name)
      else if (options.some((option) => found[option] !== index[option]))
        missing.push(`${name} (${found.name} is another: ${dropAdvice(collection.collectionName, found.name)})`)
    }
  }
  for (const [name, indexes] of Object.entries(storeIndexes))
    await look(rows[name as keyof typeof storeIndexes], [...indexes])
  for (const { _id: month } of await rows.months.find({}).sort({ _id: 1 }).toArray())
    await look(rows.events(month), monthIndexes)
  return missing
}

/** What makes an index do something else. */
const options = ['unique', 'sparse', 'expireAfterSeconds'] as const

async function folds(rows: Collections, now: number): Promise<Check> {
  const head = await rows.head.findOne({ _id: 'head' })
  const open = await rows.ledger
    .find({ state: { $in: ['prep', 'left', 'done'] } }, { projection: { begunAt: 1 } })
    .toArray()
  const oldestAt = open.reduce((oldest, row) => Math.min(oldest, row.begunAt.getTime()), Number.POSITIVE_INFINITY)
  const waiting = { batches: open.length, oldestAt: open.length === 0 ? null : oldestAt }
  return checkFolds(head ?? { phase: 'not begun', applied: 0 }, waiting, now)
}

/** From the catalogue of the cluster; null for an account that may not read it. */
async function shardedCollections(client: MongoClient, database: string): Promise<Set<string> | null> {
  try {
    const found = await client
      .db('config')
      .collection<CatalogueRow>('collections')
      .find({ _id: { $gte: `${database}.`, $lt: `${database}/` } }, { projection: { _id: 1, unsplittable: 1 } })
      .toArray()
    return spreadOf(database, found)
  } catch (error) {
    if (error instanceof MongoServerError && error.code === UNAUTHORIZED) return null
    throw error
  }
}
