import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { storeOf } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'

/** A backlog is stored in batches of four times FLUSH_EVENTS. */
const EVENTS = 8000
/** Half of the silence after which a connection is given up. */
const MAX_MS = 10_000

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

  it('whose ids were all claimed by an earlier try is read back in time', async () => {
    const rows = collectionsOf(client.db())
    const site = sampleSite()
    const { store, prepare } = process(rows, new Life(Number.POSITIVE_INFINITY))
    await prepare()
    await store.saveSite(site)
    const batch = sampleBatch(...Array.from({ length: EVENTS }, () => sampleEvent({ siteId: site.id })))
    // Its ledger row, its claims and hardly an event.
    const dying = process(rows, new Life(2 + EVENTS))
    await expect(dying.store.insertBatch(batch)).rejects.toThrow()
    expect(await rows.claims.countDocuments()).toBe(EVENTS)

    const began = performance.now()
    expect(await store.insertBatch(batch)).toMatchObject({ stored: EVENTS, duplicate: 0 })
    expect(performance.now() - began).toBeLessThan(MAX_MS)
    expect((await store.totals(site.id)).events).toBe(EVENTS)
  })
})
