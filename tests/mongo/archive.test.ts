import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { archiveMongo, type Part, restoreMongo } from '../../server/store/mongo/archive.ts'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { keepPlans } from '../../server/store/mongo/write/kept-plans.ts'
import { NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'
import { scanned } from './scanned.ts'

const day = '2026-11-22'

describeWith(mongo, 'a copy of a database that is written to', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  async function shop() {
    const url = server.newDatabase()
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    let users = 0
    /** New users, known ones, sessions that begin earlier and orders: every kind of change. */
    const visit = async () => {
      users += 1
      await store.insertBatch(
        sampleBatch(
          sampleEvent({ siteId, userId: `u${users}`, occurredAt: NOON - users * 1000 }),
          sampleEvent({ siteId, userId: 'u1', sessionId: 'one', occurredAt: NOON - users * 1000 }),
          samplePurchase({ siteId, userId: `u${users % 3}`, occurredAt: NOON - users }),
        ),
      )
      await store.totals(siteId)
      return users
    }
    for (let visits = 0; visits < 5; visits++) await visit()
    return { url, store, siteId, visit }
  }

  it('holds up no event and no figure, and is of one state when it is put back', async () => {
    const { url, store, siteId, visit } = await shop()
    const facts = { format: 0, counts: {}, unfinished: [] as string[] }
    const parts: Part[] = []
    let visits = 5
    for await (const part of archiveMongo(url, facts)) {
      parts.push(part)
      // Folded before the next part is read, whichever that is.
      visits = await visit()
    }
    expect(parts.filter(({ collection }) => collection === 'fold_plans').length).toBeGreaterThan(3)
    const target = server.newDatabase()
    const read = parts.map(({ collection, bytes }) => ({ collection, read: async () => bytes }))
    await restoreMongo(target, read, facts.unfinished, facts.format)
    const restored = await createMongoStore({ url: target })
    const query = { siteId, mend: false }
    expect(await restored.auditUsers({ ...query, since: 0, after: null })).toMatchObject({ verdict: 'equal' })
    expect(await restored.auditTotals(query)).toMatchObject({ verdict: 'equal' })
    expect(await restored.auditDay({ ...query, day })).toMatchObject({ verdict: 'equal' })
    const { events } = await restored.totals(siteId)
    expect(events).toBe((await scanned(restored, siteId)).length)
    expect(events).toBeGreaterThan(3 * 5)
    expect(events).toBeLessThan(3 * visits)
    // It goes on like any other, and so does the one that was copied.
    await restored.insertBatch(sampleBatch(sampleEvent({ siteId })))
    expect((await restored.totals(siteId)).events).toBe(events + 1)
    const client = new MongoClient(url)
    const rows = collectionsOf(client.db())
    expect((await rows.head.findOne({ _id: 'head' }))?.keep).toBeUndefined()
    await visit()
    expect(await rows.plans.countDocuments()).toBe(0)
    await Promise.all([client.close(), store.close(), restored.close()])
  })

  it('is made by one at a time, and by the next when the last one died', async () => {
    const { url, store, visit } = await shop()
    const client = new MongoClient(url)
    const rows = collectionsOf(client.db())
    const { end } = await keepPlans(rows)
    await expect(archiveMongo(url, { format: 0, counts: {}, unfinished: [] } as never).next()).rejects.toThrow(
      /Another backup/,
    )
    await visit()
    expect(await rows.plans.countDocuments()).toBeGreaterThan(0)
    await rows.head.updateOne({ _id: 'head' }, { $set: { 'keep.until': new Date(0) } })
    await visit()
    expect(await rows.plans.countDocuments()).toBe(0)
    for await (const _ of archiveMongo(url, { format: 0, counts: {}, unfinished: [] } as never));
    await end()
    await Promise.all([client.close(), store.close()])
  })
})
