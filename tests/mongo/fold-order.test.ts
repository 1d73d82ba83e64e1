import { Binary, MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { prepareDatabase } from '../../server/store/mongo/indexes.ts'
import { Folder } from '../../server/store/mongo/write/folder.ts'
import { Gate } from '../../server/store/mongo/write/gate.ts'
import { packFigures } from '../../server/store/mongo/write/summary.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

/** More than two folds take. */
const BATCHES = 70

describeWith(mongo, 'folds of MongoDB', () => {
  it('take the batches that have waited longest, whatever they are called and whoever finished them', async () => {
    const client = new MongoClient((await startMongo()).newDatabase(), { writeConcern: { w: 'majority', j: true } })
    const rows = collectionsOf(client.db())
    await prepareDatabase(rows)
    const summary = new Binary(packFigures({ sites: [], rows: 0 }))
    const begun = Date.now() - 3_600_000
    const byAge = Array.from({ length: BATCHES }, (_, age) => {
      // Neither in the order of their ids, nor in the opposite one, nor in that in which they were begun or inserted.
      const _id = `${String((age * 37) % BATCHES).padStart(3, '0')} ${age}`
      const doneAt = new Date(begun + age * 1000)
      const begunAt = new Date(begun - ((age * 29) % BATCHES) * 1000)
      return { _id, state: 'done' as const, begunAt, doneAt, owner: `process-${age % 3}`, events: 1, rows: 1, summary }
    })
    await rows.ledger.insertMany([...byAge].sort((a, b) => (a._id < b._id ? -1 : 1)))
    const folder = new Folder(rows, new Gate())
    // Its own newest batch comes in no earlier than those of others.
    const last = byAge.at(-1)!
    await folder.add(last._id, { sites: [], rows: 1 })
    const left = byAge.map(({ _id }) => _id)
    while (left.length > 0) {
      const folded = [...(await folder.turn())]
      expect(folded.length).toBeGreaterThan(0)
      expect(folded.sort()).toEqual(left.splice(0, folded.length).sort())
    }
    await folder.close()
    await client.close()
  })
})
