import { MongoClient, type Timestamp } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { foldOwn } from '../../server/store/mongo/audit/own-fold.ts'
import { causal } from '../../server/store/mongo/causal.ts'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { claimTag } from '../../server/store/mongo/write/claims.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { type Instants, startInstants } from './instants.ts'
import { startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'

interface Sent {
  name: string
  collection: string
  level: unknown
  after: Timestamp | undefined
}

describeWith(ownMongo, 'a cluster that tells the instants of its answers', () => {
  const siteId = sampleSite().id
  const day = '2026-11-22'
  let instants: Instants
  let client: MongoClient
  let rows: Collections
  let store: Store
  let sent: Sent[] = []
  beforeAll(async () => {
    const url = new URL((await startMongo({ own: true })).newDatabase())
    instants = await startInstants(url.hostname, Number(url.port))
    const watched = `mongodb://${instants.place}${url.pathname}`
    const connect = MongoClient.prototype.connect
    // The clients of the store are its own: what they send is seen where they are made.
    MongoClient.prototype.connect = function (this: MongoClient) {
      this.on('commandStarted', ({ commandName: name, command }) => {
        const { level, afterClusterTime: after } = (command.readConcern ?? {}) as Record<string, unknown>
        sent.push({ name, collection: String(command[name]), level, after: after as Timestamp | undefined })
      })
      return connect.call(this)
    }
    try {
      // Only clients that are told to watch their commands tell of them.
      store = await createMongoStore({ url: watched, onCommand: () => {} })
    } finally {
      MongoClient.prototype.connect = connect
    }
    client = new MongoClient(watched)
    rows = collectionsOf(client.db())
    await store.saveSite(sampleSite({ id: siteId }))
  })
  afterAll(async () => {
    await store.close()
    await client.close()
    await instants.close()
  })

  const rollups = ['users', 'sessions', 'orders', 'days', 'totals']
  const headTime = async () => (await rows.head.findOne({ _id: 'head' }))!.time!
  const readsOf = (...collections: string[]) =>
    sent.filter(({ name, collection }) => ['find', 'aggregate'].includes(name) && collections.includes(collection))

  it('keeps in the head by when the rows of a fold were written', async () => {
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    const before = instants.last()
    await store.totals(siteId)
    const time = await headTime()
    expect(time.greaterThan(before)).toBe(true)
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    await store.totals(siteId)
    expect((await headTime()).greaterThan(time)).toBe(true)
    // Of a fold without batches too.
    const last = await headTime()
    await foldOwn(rows, async () => [])
    expect((await headTime()).greaterThan(last)).toBe(true)
  })

  it('plans from what a majority has after the last fold', async () => {
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    // By another process: this one remembers nothing.
    await foldOwn(rows, async () => [])
    const time = await headTime()
    sent = []
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    await store.totals(siteId)
    const reads = readsOf(...rollups)
    expect(new Set(reads.map(({ collection }) => collection))).toEqual(new Set(['users', 'sessions', 'days', 'totals']))
    for (const read of reads) {
      expect(read.level, read.collection).toBe('majority')
      expect(read.after!.greaterThanOrEqual(time), read.collection).toBe(true)
    }
  })

  it('answers from what a majority has after the last fold', async () => {
    await store.totals(siteId)
    const time = await headTime()
    const questions: (() => Promise<unknown>)[] = [
      () => store.overview({ siteId, from: day, to: day }),
      () => store.totals(siteId),
      () => store.listUsers({ siteId, sort: 'totalEvents', order: 'desc', limit: 10 }),
      () => store.sessions({ siteId, userId: 'maria', limit: 10 }),
      () => store.auditDay({ siteId, day, mend: false }),
      () => store.auditUsers({ siteId, since: 0, after: null, mend: false }),
      async () => {
        for await (const _ of store.scanEvents(siteId));
      },
    ]
    for (const question of questions) {
      sent = []
      await question()
      const reads = readsOf(...rollups, 'events_202611')
      expect(reads.length).toBeGreaterThan(0)
      for (const { level, after } of reads) expect([level, after!.greaterThanOrEqual(time)]).toEqual(['majority', true])
    }
  })

  it('audits totals in one snapshot', async () => {
    await store.totals(siteId)
    sent = []
    expect((await store.auditTotals({ siteId, mend: false })).verdict).toBe('equal')
    const reads = readsOf('users', 'totals')
    expect(reads.map(({ level }) => level)).toEqual(reads.map(() => 'snapshot'))
    expect(reads.length).toBeGreaterThan(1)
  })

  it('finds the claims of an earlier try where a majority has what this one wrote', async () => {
    const batch = sampleBatch(sampleEvent({ siteId }))
    const begun = { _id: batch.id, state: 'prep' as const, begunAt: new Date() }
    await rows.ledger.insertOne(begun)
    await rows.claims.insertOne({
      _id: `${siteId}\0${batch.events[0]!.eventId}`,
      batch: claimTag(begun),
      month: 202611,
    })
    const before = instants.last()
    sent = []
    expect((await store.insertBatch(batch)).stored).toBe(1)
    const [read] = readsOf('event_ids')
    expect(read!.level).toBe('majority')
    expect(read!.after!.greaterThan(before)).toBe(true)
  })

  it('gives each write a session of its own, since they arrive in any order', async () => {
    const own = causal(rows, null)
    const sessions = new Set<string>()
    const told = new MongoClient(`mongodb://${instants.place}`, { monitorCommands: true })
    told.on('commandStarted', ({ command }) => sessions.add(String(command.lsid.id.toString('hex'))))
    const watched = causal(collectionsOf(told.db('sessions')), null)
    await Promise.all([1, 2, 3].map((at) => watched.rows.marks.insertOne({ _id: String(at), value: '' })))
    expect(sessions.size).toBe(3)
    await Promise.all([own.end(), watched.end()])
    await told.close()
  })
})
