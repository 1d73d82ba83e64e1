import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { BSON, type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { allOf } from '../../server/store/all-figures.ts'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { recountOrders } from '../../server/store/mongo/recount/orders.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'

const sites = ['default', 'other']

describeWith(mongo, 'orders of a database of the release before', () => {
  let server: MongoServer
  let before: Record<string, Document[]>
  const clients: MongoClient[] = []
  beforeAll(async () => {
    server = await startMongo()
    const packed = await readFile(new URL('format-1.json.gz', import.meta.url))
    before = BSON.EJSON.parse(gunzipSync(packed).toString(), { relaxed: false, promoteValues: true } as object)
  })
  afterAll(async () => {
    for (const client of clients) await client.close()
  })

  /** As a server under Node 20.20 has left it: 360 events, orders in nine currencies, most of them repeated. */
  async function databaseOfBefore() {
    const url = server.newDatabase()
    const client = new MongoClient(url)
    clients.push(client)
    for (const [name, rows] of Object.entries(before))
      if (rows.length > 0) await client.db().collection(name).insertMany(rows)
    return { url, rows: collectionsOf(client.db()) }
  }

  async function expectLikeFresh(url: string): Promise<void> {
    const store = await createMongoStore({ url })
    const fresh = await createMongoStore({ url: server.newDatabase() })
    for (const siteId of sites) {
      const own = await allOf(store, siteId)
      expect(own.events.length).toBeGreaterThan(50)
      await fresh.saveSite((await store.site(siteId))!)
      await fresh.insertBatch({ id: siteId, events: own.events })
      await fresh.totals(siteId)
      expect(own).toEqual(await allOf(fresh, siteId))
    }
    const { money, aside } = await store.overview({ siteId: 'default', from: '2026-01-01', to: '2026-12-31' })
    expect(money.find(({ currency }) => currency === 'HUF')).toMatchObject({ decimals: 2 })
    expect(money.some(({ currency }) => currency === 'XXX')).toBe(false)
    expect(aside.length).toBeGreaterThan(5)
    await store.close()
    await fresh.close()
  }

  it('come to what they come to in a new database', async () => {
    const { url, rows } = await databaseOfBefore()
    await expectLikeFresh(url)
    expect(await rows.meta.findOne({ _id: 'store' })).toMatchObject({ version: 3 })
  })

  it('come to the same, after whichever write the step died', async () => {
    const { url, rows } = await databaseOfBefore()
    let deaths = 0
    for (let left = 0; left < 20; left++)
      await recountOrders(mortal(rows, new Life(left)), () => undefined).catch(() => {
        deaths += 1
      })
    expect(deaths).toBeGreaterThan(2)
    await expectLikeFresh(url)
  })
})
