import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { prepareDatabase } from '../../server/store/mongo/indexes.ts'
import { written } from '../../server/store/mongo/read/written.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

describeWith(mongo, 'the mark of what MongoDB has', () => {
  it('is none of before at any step of a fold', async () => {
    const client = new MongoClient((await startMongo()).newDatabase())
    const rows = collectionsOf(client.db())
    await prepareDatabase(rows)
    const done = (_id: string) => ({ _id, state: 'done' as const, begunAt: new Date(), doneAt: new Date() })
    const marks: string[] = []
    const look = async () => {
      const mark = await written(rows)
      if (mark !== marks.at(-1)) marks.push(mark)
      return mark
    }
    await look()
    await rows.ledger.insertMany([done('a'), done('b')])
    await look()
    await rows.head.updateOne({ _id: 'head' }, { $set: { phase: 'plan', batches: ['a', 'b'] } })
    await look()
    await rows.head.updateOne({ _id: 'head' }, { $set: { phase: 'apply' } })
    const certain = await look()
    // Row by row the ledger learns of it, while another batch is stored.
    for (const _id of ['a', 'b']) {
      await rows.ledger.updateOne({ _id }, { $set: { state: 'folded' } })
      expect(await look()).toBe(certain)
    }
    await rows.ledger.insertOne(done('c'))
    const further = await look()
    expect(further).not.toBe(certain)
    await rows.head.updateOne({ _id: 'head' }, { $set: { phase: 'idle', applied: 1, batches: [] } })
    expect(await look()).toBe(further)
    expect(new Set(marks).size).toBe(marks.length)
    expect(marks).toHaveLength(4)
    await client.close()
  })
})
