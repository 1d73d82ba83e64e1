import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { createMongoStore, storeOf } from '../../server/store/mongo/store.ts'
import { claimTag } from '../../server/store/mongo/write/claims.ts'
import { newEvents } from '../../server/store/mongo/write/new-events.ts'
import { NOON, sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { EventBatch, Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'
import { scanned } from './scanned.ts'

const LONG_AGO_MS = 10 * 60_000
const day = '2026-11-22'

describeWith(mongo, 'a batch whose process is gone', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  /** Two events are claimed, and of the first the row is written. */
  async function left(knowsIds = true) {
    const client = new MongoClient(server.newDatabase(), { writeConcern: { w: 'majority', j: true } })
    const rows = collectionsOf(client.db())
    const store = await createMongoStore({ url: server.newDatabase().replace(/[^/]+$/, client.db().databaseName) })
    const { id: siteId } = await store.saveSite(sampleSite())
    const batch = sampleBatch(sampleEvent({ siteId, userId: 'ana' }), sampleEvent({ siteId, userId: 'noah' }))
    const begun = { _id: batch.id, state: 'prep' as const, begunAt: new Date(Date.now() - LONG_AGO_MS), owner: 'gone' }
    const events = newEvents(batch).events
    const { Binary } = await import('mongodb')
    const ids = new Binary(Buffer.from(JSON.stringify(events.map(({ row }) => row._id))))
    await rows.ledger.insertOne({ ...begun, ...(knowsIds && { ids }) })
    for (const { row, month, digest } of events)
      await rows.claims.insertOne({ _id: row._id, batch: claimTag(begun), month, digest })
    await rows.events(events[0]!.month).insertOne(events[0]!.row)
    const close = () => Promise.all([store.close(), client.close()])
    return { client, rows, store, siteId, batch, close }
  }

  async function isSound(store: Store, siteId: string, users: string[]): Promise<void> {
    const events = await scanned(store, siteId)
    expect(events.map(({ userId }) => userId).sort()).toEqual(users)
    expect((await store.overview({ siteId, from: day, to: day })).events).toBe(users.length)
    expect(await store.auditDay({ siteId, day, mend: false })).toMatchObject({ verdict: 'equal' })
    expect((await store.moving.state()).unfinished).toBe(0)
  }
  const again = (batch: EventBatch, place: number, over = {}) =>
    sampleBatch({ ...batch.events[place]!, receivedAt: batch.events[place]!.receivedAt + 60_000, ...over })

  it('swallows no event that is sent again, and what it has written counts', async () => {
    const { store, siteId, batch, close } = await left()
    expect((await store.insertBatch(again(batch, 1))).fates).toEqual(['stored'])
    expect((await store.insertBatch(again(batch, 0))).fates).toEqual(['duplicate'])
    await isSound(store, siteId, ['ana', 'noah'])
    await close()
  })

  it.each([true, false])(
    'comes to its end in any process, and begins anew when its own comes back (ids: %s)',
    async (known) => {
      const { rows, store, siteId, batch, close } = await left(known)
      const other = storeOf({
        ...{ writing: rows, asking: rows, place: 'test' },
        ...{ connect: async () => {}, disconnect: async () => {} },
      })
      expect(await other.endGoneBatches()).toEqual([batch.id])
      await isSound(store, siteId, ['ana'])
      expect((await store.insertBatch(batch)).fates).toEqual(['duplicate', 'stored'])
      await isSound(store, siteId, ['ana', 'noah'])
      // And is as it was when it is run once more.
      expect((await store.insertBatch(batch)).fates).toEqual(['duplicate', 'stored'])
      await other.store.close()
      await close()
    },
  )

  it('is left alone while its process is heard of', async () => {
    const { rows, batch, close } = await left()
    await rows.writers.insertOne({ _id: 'gone', host: 'slow', seenAt: new Date() })
    const { endGoneBatches, store: other } = processOf(rows, new Life(Number.POSITIVE_INFINITY))
    expect(await endGoneBatches()).toEqual([])
    expect((await rows.ledger.findOne({ _id: batch.id }))?.state).toBe('prep')
    await other.close()
    await close()
  })

  it('whose event comes again with another time has one row of it', async () => {
    const { rows, store, siteId, batch, close } = await left()
    // Its row was written after others took the batch for gone, as by a process that was frozen.
    const { endGoneBatches, store: other } = processOf(rows, new Life(Number.POSITIVE_INFINITY))
    await endGoneBatches()
    const late = newEvents(batch).events[1]!
    await rows.events(late.month).insertOne(late.row)
    await rows.claims.insertOne({
      ...{ _id: late.row._id, month: late.month, digest: late.digest },
      batch: claimTag((await rows.ledger.findOne({ _id: batch.id }))!),
    })
    const moved = again(batch, 1, { occurredAt: NOON - 40 * 86_400_000 })
    expect((await store.insertBatch(moved)).fates).toEqual(['stored'])
    const events = await scanned(store, siteId)
    expect(events.map(({ userId, occurredAt }) => [userId, occurredAt])).toEqual([
      ['ana', batch.events[0]!.occurredAt],
      ['noah', NOON - 40 * 86_400_000],
    ])
    await other.close()
    await close()
  })

  it('is ended by another when the one that ends it dies anywhere', async () => {
    for (let writes = 1; ; writes++) {
      const { rows, store, siteId, batch, close } = await left()
      const life = new Life(writes)
      const dying = processOf(rows, life)
      await dying.endGoneBatches().catch((error: unknown) => {
        if (!life.isOver) throw error
      })
      // What it has begun itself is left too.
      await rows.ledger.updateMany(
        { _id: { $in: (await rows.ledger.find({}).toArray()).map(({ _id }) => _id) }, state: 'prep' },
        { $set: { owner: 'dead' } },
      )
      await rows.writers.deleteMany({})
      await rows.writers.insertOne({ _id: 'dead', host: 'gone', seenAt: new Date(0) })
      const next = processOf(rows, new Life(Number.POSITIVE_INFINITY))
      while ((await next.endGoneBatches()).length > 0);
      expect((await store.insertBatch(batch)).refused, `after ${writes} writes`).toBe(0)
      await isSound(store, siteId, ['ana', 'noah'])
      await Promise.all([next.store.close(), close()])
      if (!life.isOver) break
    }
  })

  function processOf(rows: Collections, life: Life) {
    const own = mortal(rows, life)
    return storeOf({
      ...{ writing: own, asking: own, place: 'test', leaseMs: 0 },
      ...{ connect: async () => {}, disconnect: async () => {} },
    })
  }
})
