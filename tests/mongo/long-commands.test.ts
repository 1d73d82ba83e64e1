import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import type { Command } from '../../server/store/mongo/commands.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const SILENCE_MS = 2000
const LONG_MS = 2 * SILENCE_MS

describeWith(mongo, 'a large database', () => {
  it('is brought to a newer format although its copies and indexes take longer than other commands may', async () => {
    const server = await startMongo({ own: true })
    if (!server.isStandIn) return
    const url = server.newDatabase()
    const { id: siteId } = sampleSite()
    const before = await createMongoStore({ url })
    await before.saveSite(sampleSite({ id: siteId }))
    await before.insertBatch(sampleBatch(sampleEvent({ siteId }), samplePurchase({ siteId })))
    await before.totals(siteId)
    await before.close()
    const client = new MongoClient(url)
    await collectionsOf(client.db()).meta.replaceOne({ _id: 'store' }, { version: 1 })
    await client.close()
    const slow = ['aggregate', 'createIndexes']
    for (const command of slow) await server.admin({ standIn: 'hang', command, ms: LONG_MS, times: 1 })
    const seen: Command[] = []
    const told = new Set<string>()
    const store = await createMongoStore({
      ...{ url, silenceMs: SILENCE_MS },
      onCommand: (command) => seen.push(command),
      onProgress: ({ step }) => told.add(step),
    })
    // Whatever else a busy machine is late with is tried again.
    await expect
      .poll(() => store.insertBatch(sampleBatch(sampleEvent({ siteId }))).catch(() => null))
      .toMatchObject({ stored: 1 })
    const took = seen.filter(({ name, tookMs }) => slow.includes(name) && tookMs > 0.9 * LONG_MS)
    expect(took.map(({ name, error }) => `${name} ${error}`)).toEqual(slow.map((name) => `${name} `))
    expect([...told]).toEqual(expect.arrayContaining(['keeps a copy', 'counts orders again']))
    await store.close()
  })
})
