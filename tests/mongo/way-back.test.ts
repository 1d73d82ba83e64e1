import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { Binary, BSON, type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { allOf } from '../../server/store/all-figures.ts'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { mongoState, putBack, putBackMongo } from '../../server/store/mongo/way-back.ts'
import { claimTag } from '../../server/store/mongo/write/claims.ts'
import { newEvents } from '../../server/store/mongo/write/new-events.ts'
import { sampleEvent, samplePurchase } from '../../server/store/sample-events.ts'
import type { EventBatch, Store, StoredEvent } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const siteId = 'default'
/** What the step that counts orders again changes. */
const changed = ['orders', 'users', 'sessions', 'days', 'totals'] as const

describeWith(mongo, 'the way back of a database', () => {
  let server: MongoServer
  let before: Record<string, Document[]>
  const clients: MongoClient[] = []
  beforeAll(async () => {
    server = await startMongo()
    const packed = await readFile(new URL('format-1.json.gz', import.meta.url))
    before = BSON.EJSON.parse(gunzipSync(packed).toString(), { relaxed: false, promoteValues: true } as object)
  })
  afterAll(async () => {
    for (const client of clients) await client.close()
  })

  /**
   * Of the release before, brought on, with a batch since then that is counted, one that waits for its fold and one whose
   * process was killed between its claims and its rows.
   */
  async function broughtOn() {
    const url = server.newDatabase()
    const client = new MongoClient(url, { writeConcern: { w: 'majority', j: true } })
    clients.push(client)
    const rows = collectionsOf(client.db())
    for (const [name, documents] of Object.entries(before))
      if (documents.length > 0) await client.db().collection(name).insertMany(documents)
    const found = await changedRows(rows)
    const store = await createMongoStore({ url })
    await store.insertBatch(since(sampleEvent({ siteId, userId: 'ana' }), samplePurchase({ siteId, userId: 'ana' })))
    await store.totals(siteId)
    // Folds are held up, so that it waits.
    await rows.head.updateOne({ _id: 'head' }, { $set: { phase: 'plan', batches: [], owner: 'gone', beat: 0 } })
    await store.insertBatch(since(sampleEvent({ siteId, userId: 'noah' })))
    const cut = since(sampleEvent({ siteId, userId: 'mia' }), sampleEvent({ siteId, userId: 'leo' }))
    const begun = { _id: cut.id, state: 'prep' as const, begunAt: new Date(), owner: 'gone' }
    const events = newEvents(cut).events
    const ids = new Binary(Buffer.from(JSON.stringify(events.map(({ row }) => row._id))))
    await rows.ledger.insertOne({ ...begun, ids })
    for (const { row, month, digest } of events)
      await rows.claims.insertOne({ _id: row._id, batch: claimTag(begun), month, digest })
    await rows.events(events[0]!.month).insertOne(events[0]!.row)
    return { url, rows, found, store }
  }

  function changedRows({ database }: Collections): Promise<Document[][]> {
    return Promise.all(changed.map((name) => database.collection(name).find().sort({ _id: 1 }).toArray()))
  }

  /** Ended without what it would do at its end. */
  async function kill(rows: Collections, store: Store): Promise<void> {
    await rows.meta.updateOne({ _id: 'store' }, { $set: { restoring: true } })
    await store.close().catch(() => undefined)
    await rows.meta.updateOne({ _id: 'store' }, { $unset: { restoring: 1 } })
  }

  async function expectAsBefore({
    rows,
    url,
    found,
  }: {
    rows: Collections
    url: string
    found: Document[][]
  }): Promise<void> {
    // Not shown where they differ: they are long.
    expect(JSON.stringify(await changedRows(rows)) === JSON.stringify(found)).toBe(true)
    expect(await rows.meta.findOne({ _id: 'store' })).toEqual({ _id: 'store', version: 1, format: 1 })
    expect((await mongoState(url)).copy).toBeNull()
    // Nothing that only this program could finish.
    expect((await rows.head.findOne({ _id: 'head' }))?.phase).toBe('idle')
    expect([...new Set((await rows.ledger.find().toArray()).map(({ state }) => state))]).toEqual(['folded'])
  }

  /** Brought on again, and with the letters stored, it is what its events come to in a new database. */
  async function expectWhole(url: string, letters: StoredEvent[], users: string[]): Promise<void> {
    const store = await createMongoStore({ url })
    await expectLikeFresh(store)
    await store.insertBatch({ id: `replayed ${randomUUID()}`, events: letters })
    const events = await expectLikeFresh(store)
    const since = events.map(({ userId }) => userId).filter((userId) => !userId.startsWith('user-'))
    expect(since.sort()).toEqual(users)
    await store.close()
  }

  async function expectLikeFresh(store: Store): Promise<StoredEvent[]> {
    await store.totals(siteId)
    const own = await allOf(store, siteId)
    const fresh = await createMongoStore({ url: server.newDatabase() })
    await fresh.saveSite((await store.site(siteId))!)
    await fresh.insertBatch({ id: 'all', events: own.events })
    await fresh.totals(siteId)
    expect(own).toEqual(await allOf(fresh, siteId))
    expect(await store.auditTotals({ siteId, mend: false })).toMatchObject({ verdict: 'equal' })
    await fresh.close()
    return own.events
  }

  function letterBox() {
    const letters: StoredEvent[] = []
    return { letters, keep: async (events: StoredEvent[]) => void letters.push(...events) }
  }

  it('leads to what was there, and forth again to what all events come to', async () => {
    const { url, rows, found, store } = await broughtOn()
    await kill(rows, store)
    const { letters, keep } = letterBox()
    expect((await mongoState(url)).copy).toMatchObject({ format: 1 })
    expect(await putBackMongo(url, keep)).toMatchObject({ format: 1, aside: null })
    await expectAsBefore({ url, rows, found })
    await expect(putBackMongo(url, keep)).rejects.toMatchObject({ code: 'not_found' })
    await expectWhole(url, letters, ['ana', 'ana', 'mia', 'noah'])
  })

  it('comes to the same, wherever it was cut short', async () => {
    const whole = await broughtOn()
    await kill(whole.rows, whole.store)
    let steps = 0
    await putBack(
      dying(whole.rows, () => void steps++),
      'test',
      async () => {},
    )
    expect(steps).toBeGreaterThan(20)
    // Again from the beginning after each death, in one database: each try gets a step further.
    const { url, rows, found, store } = await broughtOn()
    await kill(rows, store)
    const { letters, keep } = letterBox()
    for (let left = 0; ; left++) {
      let taken = 0
      const outcome = await putBack(
        dying(rows, () => {
          if (taken++ >= left) throw new Error('the process is dead')
        }),
        'test',
        keep,
      ).catch((error: Error) => error)
      if (!(outcome instanceof Error)) break
      // None of the next tries could put it right, were a copy gone while it is still wanted.
      const { version } = (await rows.meta.findOne({ _id: 'store' }))!
      if (version === 1 && !(await rows.steps.findOne({ _id: 'copy' }))) break
      expect(outcome.message).toContain('dead')
    }
    await putBackMongo(url, keep).catch((error: { code: string }) => expect(error.code).toBe('not_found'))
    await expectAsBefore({ url, rows, found })
    await expectWhole(url, letters, ['ana', 'ana', 'mia', 'noah'])
  })
})

/** A batch whose ids are none of those that were there before. */
function since(...events: StoredEvent[]): EventBatch {
  return { id: `since ${randomUUID()}`, events: events.map((event) => ({ ...event, eventId: randomUUID() })) }
}

const writing = ['insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany']
const writes = new Set([...writing, 'bulkWrite', 'findOneAndUpdate', 'aggregate', 'drop', 'command'])

/** The same collections; `step` is told before each write, and may throw. */
function dying(rows: Collections, step: () => void): Collections {
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name: string) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name === 'collection' || name === 'events')
          return (...args: unknown[]) => wrap((value as (...args: unknown[]) => object).apply(target, args))
        return (...args: unknown[]) => {
          if (writes.has(name)) step()
          return (value as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  const entries = Object.entries(rows).map(([name, part]) => [
    name,
    name === 'events' ? (month: number) => wrap(rows.events(month)) : wrap(part as object),
  ])
  return Object.fromEntries(entries) as Collections
}
