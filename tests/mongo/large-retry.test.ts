import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { storeOf } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'

/** A backlog is stored in batches of four times FLUSH_EVENTS. */
const EVENTS = 8000
/** Ids in one question: a server takes far longer over long lists, in the end longer than a connection lasts. */
const MAX_IDS = 1000

describeWith(mongo, 'a large batch', () => {
  let client: MongoClient
  beforeAll(async () => {
    client = new MongoClient((await startMongo()).newDatabase())
  })
  afterAll(() => client.close())

  const process = (rows: Collections, life: Life) => {
    const own = mortal(rows, life)
    const nothing = async () => {}
    return storeOf({ writing: own, asking: own, place: 'test', leaseMs: 0, connect: nothing, disconnect: nothing })
  }

  /** Notes how many ids each question for claims has. */
  function listening(rows: Collections, asked: number[]): Collections {
    const find = ((filter: { _id: { $in: unknown[] } }, options: object) => {
      asked.push(filter._id.$in.length)
      return rows.claims.find(filter as object, options)
    }) as unknown as Collections['claims']['find']
    const claims = new Proxy(rows.claims, {
      get: (target, name) => (name === 'find' ? find : Reflect.get(target, name)),
    })
    return { ...rows, claims }
  }

  it('whose ids were all claimed by an earlier try is read back in steps', async () => {
    const rows = collectionsOf(client.db())
    const site = sampleSite()
    const asked: number[] = []
    const { store, prepare } = process(listening(rows, asked), new Life(Number.POSITIVE_INFINITY))
    await prepare()
    await store.saveSite(site)
    const batch = sampleBatch(...Array.from({ length: EVENTS }, () => sampleEvent({ siteId: site.id })))
    // Its ledger row, its claims and hardly an event.
    const dying = process(rows, new Life(3 + EVENTS))
    await expect(dying.store.insertBatch(batch)).rejects.toThrow()
    expect(await rows.claims.countDocuments()).toBe(EVENTS)

    expect(await store.insertBatch(batch)).toMatchObject({ stored: EVENTS, duplicate: 0 })
    expect(asked.reduce((sum, ids) => sum + ids, 0)).toBe(EVENTS)
    expect(Math.max(...asked)).toBeLessThanOrEqual(MAX_IDS)
    expect((await store.totals(site.id)).events).toBe(EVENTS)
  })

  it('of the longest ids that the door lets in is stored and folded, and has the same outcome when it comes again', async () => {
    const rows = collectionsOf(client.db())
    const { store, prepare } = process(rows, new Life(Number.POSITIVE_INFINITY))
    await prepare()
    const site = await store.saveSite(sampleSite())
    // Figures and rows of far more than a document holds; the last one comes twice.
    const events = Array.from({ length: 2000 }, (_, index) => {
      const event = samplePurchase({ siteId: site.id, userId: 'mia' })
      return { ...event, payload: { ...event.payload, orderId: `${index}`.padEnd(4096, 'あ') } }
    })
    const batch = sampleBatch(...events, events.at(-1)!)
    const outcome = await store.insertBatch(batch)
    expect(outcome).toMatchObject({ stored: 2000, duplicate: 1, refused: 0 })
    expect(outcome.fates.at(-1)).toBe('duplicate')
    expect(await store.user({ siteId: site.id, userId: 'mia' })).toMatchObject({ events: 2000, orders: 2000 })
    expect(await store.insertBatch(batch)).toEqual(outcome)
    expect((await store.totals(site.id)).events).toBe(2000)
  })
})
