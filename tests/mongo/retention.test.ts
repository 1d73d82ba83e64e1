import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { addMonths, monthOf, monthStart } from '../../server/analysis/months.ts'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { dropMonthsBefore } from '../../server/store/mongo/retention.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'

const KEPT = addMonths(monthOf(Date.now()), -2)
/** Two months that go and one that stays. */
const MONTHS = [addMonths(KEPT, -2), addMonths(KEPT, -1), KEPT]

describeWith(mongo, 'dropping months of MongoDB', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  async function oldShop() {
    const url = server.newDatabase()
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    const events = MONTHS.flatMap((month) =>
      [0, 1, 2].map((n) => sampleEvent({ siteId, occurredAt: monthStart(month) + n, userId: `user-${n}` })),
    )
    await store.insertBatch(sampleBatch(...events))
    const client = new MongoClient(url)
    return { store, siteId, events, client, rows: collectionsOf(client.db()), totals: await store.totals(siteId) }
  }

  it('is finished by the next run, after whichever write it died', async () => {
    let deaths = 0
    for (let left = 0; left < 40; left++) {
      const { store, siteId, events, client, rows, totals } = await oldShop()
      const life = new Life(left)
      const dying = mortal(rows, life)
      // What there is may be listed for as long as it lives: that writes nothing.
      const months = new Proxy(dying.months, {
        get: (target, name) => (name === 'db' ? rows.months.db : Reflect.get(target, name)),
      })
      const isDone = await dropMonthsBefore({ ...dying, months }, KEPT).then(
        () => true,
        () => false,
      )
      const note = `died after ${left} writes`
      // Half-way everything is as before or as afterwards: nothing is counted twice, and nothing of a kept month is gone.
      const again = await store.insertBatch({ id: `again ${left}`, events })
      expect(again.stored, note).toBe(0)
      expect(again.fates.slice(6), note).toEqual(['duplicate', 'duplicate', 'duplicate'])
      expect(await store.totals(siteId), note).toEqual(totals)

      await store.dropMonthsBefore(KEPT)
      const names = (await client.db().listCollections().toArray()).map(({ name }) => name)
      expect(
        names.filter((name) => /^events_/.test(name)),
        note,
      ).toEqual([`events_${KEPT}`])
      expect(await rows.claims.countDocuments({ month: { $lt: KEPT } }), note).toBe(0)
      expect(await rows.claims.countDocuments({}), note).toBe(3)
      expect(
        (await store.eventMonths()).map(({ month }) => month),
        note,
      ).toEqual([KEPT])
      expect(await store.totals(siteId), note).toEqual(totals)
      await Promise.all([store.close(), client.close()])
      if (isDone && !life.isOver) break
      deaths += 1
    }
    expect(deaths).toBeGreaterThan(5)
    expect(deaths).toBeLessThan(40)
  })

  it('takes away what a batch wrote that had looked before', async () => {
    const { store, client, rows, events } = await oldShop()
    const [row] = await rows.events(MONTHS[0]!).find({}).toArray()
    await store.dropMonthsBefore(KEPT)
    // Its collection is made again by the insertion, without index or row of its month.
    await rows.claims.insertOne({ _id: row!._id, batch: 'slow 1', month: MONTHS[0]! })
    await rows.events(MONTHS[0]!).insertOne(row!)
    // And one that died before its first row.
    await rows.months.insertOne({ _id: MONTHS[1]! })
    expect(await store.dropMonthsBefore(KEPT)).toEqual([MONTHS[0]])
    expect((await store.eventMonths()).map(({ month }) => month)).toEqual([KEPT])
    expect(await rows.claims.findOne({ _id: row!._id })).toBeNull()
    expect(await rows.claims.countDocuments({})).toBe(events.length / 3)
    await Promise.all([store.close(), client.close()])
  })

  it('costs nothing while there is nothing to drop', async () => {
    const { store, rows, client } = await oldShop()
    await store.dropMonthsBefore(KEPT)
    const stray = { _id: 'left alone', batch: 'x 1', month: MONTHS[0]! }
    await rows.claims.insertOne(stray)
    await store.dropMonthsBefore(KEPT)
    // Ids are walked only after months were dropped.
    expect(await rows.claims.findOne({ _id: stray._id })).toEqual(stray)
    await Promise.all([store.close(), client.close()])
  })
})

describeWith(mongo, 'a batch that comes again when its ledger row is long gone', () => {
  it('is all duplicates and counts nothing', async () => {
    const server = await startMongo()
    const url = server.newDatabase()
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    const batch = sampleBatch(sampleEvent({ siteId }), sampleEvent({ siteId }))
    expect((await store.insertBatch(batch)).stored).toBe(2)
    const totals = await store.totals(siteId)
    const client = new MongoClient(url)
    // As the index on foldedAt does 30 days after the fold.
    expect((await collectionsOf(client.db()).ledger.deleteOne({ _id: batch.id })).deletedCount).toBe(1)
    const fresh = sampleEvent({ siteId })
    const again = await store.insertBatch({ id: batch.id, events: [...batch.events, fresh] })
    expect(again.fates).toEqual(['duplicate', 'duplicate', 'stored'])
    expect((await store.totals(siteId)).events).toBe(totals.events + 1)
    await Promise.all([store.close(), client.close()])
  })
})
