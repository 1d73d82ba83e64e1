import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { prepareDatabase } from '../../server/store/mongo/indexes.ts'
import { migrate } from '../../server/store/mongo/migrate.ts'
import { type MongoStep, mongoSteps } from '../../server/store/mongo/steps.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const released = mongoSteps.slice(0, 1)
const adds: MongoStep = {
  name: 'adds a field',
  kind: 'adds',
  run: async ({ marks }) => void (await marks.updateOne({ _id: 'added' }, { $set: { value: '1' } }, { upsert: true })),
}
const changes: MongoStep = {
  name: 'counts anew',
  kind: 'changes',
  of: ['marks'],
  run: async ({ marks }) => void (await marks.updateOne({ _id: 'figure' }, { $set: { value: 'anew' } })),
}

describeWith(mongo, 'a database of an older format', () => {
  let newDatabase: () => string
  const clients: MongoClient[] = []
  beforeAll(async () => {
    const server = await startMongo()
    newDatabase = () => server.newDatabase()
  })
  afterAll(async () => {
    for (const client of clients) await client.close()
  })

  /** A database of the first release with a mark in it. */
  async function releasedDatabase(): Promise<Collections> {
    const client = new MongoClient(newDatabase())
    clients.push(client)
    const rows = collectionsOf(client.db())
    await prepareDatabase(rows)
    await rows.meta.replaceOne({ _id: 'store' }, { version: 1 })
    await rows.marks.insertOne({ _id: 'figure', value: '1' })
    return rows
  }

  async function marksOf({ database }: Collections, name = 'marks'): Promise<Record<string, string>> {
    const rows = await database.collection<{ _id: string; value: string }>(name).find().sort({ _id: 1 }).toArray()
    return Object.fromEntries(rows.map(({ _id, value }) => [_id, value]))
  }

  it('stays one of the release before where steps only add', async () => {
    const rows = await releasedDatabase()
    await migrate(rows, undefined, [...released, adds])
    expect(await rows.meta.findOne({ _id: 'store' })).toEqual({ _id: 'store', version: 1, format: 2 })
    expect(await marksOf(rows)).toEqual({ added: '1', figure: '1' })
    await migrate(rows, undefined, released)
  })

  it('keeps copies of what a step changes, once, and is refused to older programs before it begins', async () => {
    const rows = await releasedDatabase()
    const cut: MongoStep = {
      ...changes,
      async run(of) {
        await changes.run(of, () => undefined)
        throw new Error('cut short')
      },
    }
    await expect(migrate(rows, undefined, [...released, cut])).rejects.toThrow('cut short')
    const message = /newer Veritas \(its format is 2, this one knows 1\).*npm run store -- put-back/
    await expect(migrate(rows, undefined, released)).rejects.toMatchObject({ code: 'conflict', message })
    await migrate(rows, undefined, [...released, changes])
    expect(await marksOf(rows)).toEqual({ figure: 'anew' })
    // Of the state before, not of the half that the first try left.
    expect(await marksOf(rows, 'before_1_marks')).toEqual({ figure: '1' })
    await migrate(rows, undefined, [...released, changes, changes])
    expect(await marksOf(rows, 'before_2_marks')).toEqual({ figure: 'anew' })
    expect(await marksOf(rows, 'before_1_marks')).toEqual({})
  })

  it('is brought on by one process while the others wait', async () => {
    const rows = await releasedDatabase()
    let runs = 0
    const slow: MongoStep = {
      ...adds,
      async run() {
        runs++
        await new Promise((resolve) => setTimeout(resolve, 50))
      },
    }
    const steps = [...released, slow]
    await Promise.all([1, 2, 3].map(() => migrate(rows, undefined, steps)))
    expect(runs).toBe(1)
    expect(await rows.steps.findOne({ _id: 'work' })).toBeNull()
  })
})
