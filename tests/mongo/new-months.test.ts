import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { storeOf } from '../../server/store/mongo/store.ts'
import { DAY_MS, NOON, sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const MONTH_MS = 31 * DAY_MS
const spread = { enableSharding: 1, shardCollection: 1 }

describeWith(mongo, 'a month that begins', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  /** What the cluster was asked for and which indexes the months have, once events of two months are stored. */
  async function begun(prepare: (database: ReturnType<typeof collectionsOf>) => Promise<unknown>) {
    const client = new MongoClient(server.newDatabase(), { monitorCommands: true })
    const rows = collectionsOf(client.db())
    const asked: Document[] = []
    client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) => {
      if (commandName in spread) asked.push({ [commandName]: command[commandName], key: command.key })
    })
    const { store, prepare: make } = storeOf({
      ...{ writing: rows, asking: rows, place: 'test' },
      ...{ connect: async () => {}, disconnect: async () => {} },
    })
    await make()
    await prepare(rows)
    const { id: siteId } = await store.saveSite(sampleSite())
    for (const occurredAt of [NOON, NOON + 1, NOON + MONTH_MS])
      expect((await store.insertBatch(sampleBatch(sampleEvent({ siteId, occurredAt })))).stored).toBe(1)
    const names = ['events_202611', 'events_202612'].map((month) => `${client.db().databaseName}.${month}`)
    const keys = async (month: number) => (await rows.events(month).indexes()).map(({ key }) => JSON.stringify(key))
    const indexes = [await keys(202611), await keys(202612)]
    await store.close()
    await client.close()
    return { asked: asked.filter((command) => 'shardCollection' in command), names, indexes }
  }
  const key = { user: 'hashed' }

  it('is spread over the shards where ids are, once each, and takes events though the cluster refuses', async () => {
    const { asked, names, indexes } = await begun(async ({ claims }) => {
      // The stand-in takes an index of hashed ids for the one it has, and keeps none.
      claims.indexes = (async () => [
        { v: 2, name: '_id_hashed', key: { _id: 'hashed' } as const },
      ]) as unknown as typeof claims.indexes
    })
    expect(asked).toEqual(names.map((shardCollection) => ({ shardCollection, key })))
    for (const keys of indexes) expect(keys).toContain(JSON.stringify(key))
  })

  it('is spread where the month before is', async () => {
    const { asked, names } = await begun(async (rows) => {
      await rows.events(202610).createIndex(key as { user: 'hashed' })
      await rows.months.insertOne({ _id: 202610 })
    })
    expect(asked).toEqual(names.map((shardCollection) => ({ shardCollection, key })))
  })

  it('stays whole where nothing is spread', async () => {
    const { asked, indexes } = await begun(async () => {})
    expect(asked).toEqual([])
    for (const keys of indexes) expect(keys).not.toContain(JSON.stringify(key))
  })
})
