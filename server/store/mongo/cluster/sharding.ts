import type { Document } from 'mongodb'

/** How one collection is spread over a cluster. */
export interface Sharding {
  collection: string
  key: Record<string, 'hashed'>
}

/**
 * Claims, users, sessions and orders are found by their _id, which is unique over a whole cluster only where it is the
 * key: it is, hashed. Events are found by their user; that an id is stored once is seen to by its claim, and a repeated
 * insertion meets its row, since the same event has the same user and so the same shard. What is small stays whole on
 * the first shard: the ledger and head of folds, days, totals, accounts.
 */
const byId: readonly string[] = ['event_ids', 'users', 'sessions', 'orders']

export function shardings(months: readonly number[]): Sharding[] {
  return [...byId.map((collection): Sharding => ({ collection, key: { _id: 'hashed' } })), ...months.map(shardingOf)]
}

export function shardingOf(month: number): Sharding {
  return { collection: `events_${month}`, key: { user: 'hashed' } }
}

/** The commands for the admin database. */
export function shardCommands(database: string, wanted: readonly Sharding[]): Document[] {
  return [
    { enableSharding: database },
    ...wanted.map(({ collection, key }) => ({ shardCollection: `${database}.${collection}`, key })),
  ]
}

/** The same for mongosh. */
export function shardLines(database: string, wanted: readonly Sharding[]): string[] {
  const name = (text: string) => JSON.stringify(text)
  return [
    `sh.enableSharding(${name(database)})`,
    ...wanted.flatMap(({ collection, key }) => [
      `db.getSiblingDB(${name(database)}).getCollection(${name(collection)}).createIndex(${JSON.stringify(key)})`,
      `sh.shardCollection(${name(`${database}.${collection}`)}, ${JSON.stringify(key)})`,
    ]),
  ]
}

/** Of config.collections. Since 8.0 it also has collections that were moved to another shard as a whole. */
export interface CatalogueRow {
  _id: string
  unsplittable?: boolean
}

/** The collections of a database that are spread. */
export function spreadOf(database: string, catalogue: readonly CatalogueRow[]): Set<string> {
  const spread = catalogue.filter(({ unsplittable }) => unsplittable !== true)
  return new Set(spread.map(({ _id }) => _id.slice(database.length + 1)))
}
