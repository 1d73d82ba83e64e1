import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent } from '../../server/store/sample-events.ts'
import { createProofs } from '../../server/writer/proofs.ts'
import { runBatch, Trial } from '../../server/writer/run-batch.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'

describeWith(ownMongo, 'a database that comes back as one that Veritas must not write to', () => {
  it('makes no event a dead letter: batches wait for as long as it is so', async () => {
    const server = await startMongo({ own: true, keepsData: true })
    const url = server.newDatabase()
    const client = new MongoClient(url)
    const meta = client.db().collection<{ _id: string; version: number; restoring: boolean }>('meta')
    await meta.insertOne({ _id: 'store', version: 1, restoring: true })
    await server.stop()
    const store = await createMongoStore({ url })
    await server.start()
    let tries = 0
    const isOver = new Error('over')
    const retry = async <T>(action: () => Promise<T>): Promise<T> => {
      for (;;) {
        const failure: unknown = await action().then(
          (answer) => ({ answer }),
          (error: unknown) => error,
        )
        if (failure !== null && typeof failure === 'object' && 'answer' in failure) return failure.answer as T
        tries += 1
        expect(String(failure)).toMatch(/half of a backup|does not answer/)
        if (tries > 8) throw isOver
      }
    }
    const batch = sampleBatch(sampleEvent({ siteId: 'default' }), sampleEvent({ siteId: 'default' }))
    await expect(
      runBatch({ store, retry, isAlone: false, doubts: createProofs().begin(), trial: new Trial(true) }, batch),
    ).rejects.toBe(isOver)
    await expect(store.totals('default')).rejects.toMatchObject({ code: 'conflict' })
    // Whole again, it takes them.
    await client.db().dropDatabase()
    await store.saveSite({ id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' })
    expect(await store.insertBatch(batch)).toMatchObject({ stored: 2 })
    await store.close()
    await client.close()
  })
})
