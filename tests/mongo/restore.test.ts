import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import { backUp, restore } from '../backups.ts'
import { describeWith } from '../needs.ts'
import { temporaryFolder } from '../server.ts'
import { startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'

const UNAUTHORIZED = 13

describeWith(ownMongo, 'a backup that is put back', () => {
  it('by an account with the role readWrite needs not drop the database, and takes away what was in it', async () => {
    const server = await startMongo({ own: true })
    const shop = async () => {
      const mongoUrl = server.newDatabase()
      const store = await createMongoStore({ url: mongoUrl })
      const { id } = await store.saveSite(sampleSite())
      await store.insertBatch(sampleBatch(sampleEvent({ siteId: id })))
      expect((await store.totals(id)).events).toBe(1)
      await store.close()
      return { id, place: { dataDir: temporaryFolder(), mongoUrl } }
    }
    const [source, target] = [await shop(), await shop()]
    const file = join(temporaryFolder(), 'all.tar.gz')
    await backUp(source.place, file)
    const client = new MongoClient(target.place.mongoUrl)
    await client.db().collection('left').insertOne({ of: 'others' })

    await server.admin({
      configureFailPoint: 'failCommand',
      mode: 'alwaysOn',
      data: { failCommands: ['dropDatabase'], errorCode: UNAUTHORIZED },
    })
    await restore(file, target.place, { force: true })
    expect(await client.db().listCollections({ name: 'left' }).toArray()).toEqual([])
    await client.close()
    const restored = await createMongoStore({ url: target.place.mongoUrl })
    expect(await restored.site(target.id)).toBeNull()
    expect((await restored.totals(source.id)).events).toBe(1)
    await restored.close()
  })

  it('is refused while a server of another machine runs on the database, and done once that has ended', async () => {
    const server = await startMongo()
    const [source, target] = [server.newDatabase(), server.newDatabase()].map((mongoUrl) => ({
      ...{ dataDir: temporaryFolder(), mongoUrl },
    }))
    for (const place of [source!, target!]) await (await createMongoStore({ url: place.mongoUrl })).close()
    const file = join(temporaryFolder(), 'all.tar.gz')
    await backUp(source!, file)
    const store = await createMongoStore({ url: target!.mongoUrl })
    let isOver = false
    // As one that only answers does.
    const silent = { abandoned: 0, answersOnly: true }
    const telling = (async () => {
      while (!isOver) {
        await store.logs!.exchange('its log', { host: 'shop-2', waiting: 0, oldestMs: null, survives: true, ...silent })
        await sleep(50)
      }
    })()
    await expect(restore(file, target!, { force: true })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('on shop-2'),
    })
    isOver = true
    await telling
    await store.logs!.leave('its log')
    await store.close()
    await restore(file, target!, { force: true })
  })
})
