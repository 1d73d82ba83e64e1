import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { storeOf } from '../../server/store/mongo/store.ts'
import { DAY_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../server/store/sample-events.ts'
import type { Store } from '../../server/store/store.ts'
import { userSort } from '../../trpc/schema/users.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'
import { scanned } from './scanned.ts'

describeWith(mongo, 'the plans of MongoDB', () => {
  const site = sampleSite()
  const siteId = site.id
  const commands: { database: string; command: Document }[] = []
  let client: MongoClient
  let store: Store

  beforeAll(async () => {
    const server = await startMongo()
    client = new MongoClient(server.newDatabase(), { monitorCommands: true })
    const rows = collectionsOf(client.db())
    store = storeOf({
      writing: rows,
      asking: rows,
      place: 'test',
      connect: async () => {},
      disconnect: () => client.close(),
    }).store
    await store.saveSite(site)
    client.on('commandStarted', ({ commandName, command, databaseName }: CommandStartedEvent) => {
      if (commandName in reading && databaseName === client.db().databaseName)
        commands.push({ database: databaseName, command })
    })
    for (let day = 0; day < 40; day += 2) await store.insertBatch(sampleBatch(...visits(day)))
  })
  afterAll(() => store.close())

  const reading = { find: true, aggregate: true }
  const visits = (day: number) =>
    Array.from({ length: 25 }, (_, n) => {
      const event = { siteId, userId: `user-${n % 7}`, sessionId: `s-${day}-${n % 3}`, occurredAt: NOON - day * DAY_MS }
      return n % 5 === 0 ? samplePurchase(event, { orderId: `order-${day}-${n}` }) : sampleEvent(event)
    })

  it('read along an index, whatever is asked or written', async () => {
    const user = { siteId, userId: 'user-3' }
    const range = { siteId, from: '2026-11-01', to: '2026-11-30' }
    await Promise.all([store.overview(range), store.hours(range), store.totals(siteId), store.user(user)])
    for (const sort of userSort.options)
      for (const page of [{ offset: 5 }, { prefix: 'user-' }, { after: { value: 'user-2', userId: 'user-2' } }])
        await store.listUsers({ siteId, sort, order: 'desc', limit: 3, ...page })
    for (const page of [{}, { type: 'purchase' }, { sessionId: 's-0-1' }, { from: NOON - 9 * DAY_MS, to: NOON }])
      await store.journey({ ...user, order: 'desc', limit: 5, ...page })
    await store.sessions({ ...user, limit: 3 })
    await store.sessions({ ...user, limit: 3, after: { start: NOON - DAY_MS, sessionId: 's-0-1' } })
    await store.sessions({ ...user, limit: 3, ids: ['s-2-1', 's-8-2'] })
    await scanned(store, siteId)
    for await (const _ of store.scanEvents(siteId, { from: NOON - 9 * DAY_MS, to: NOON }));
    await store.keys.list(siteId)
    await store.accounts.byEmail('nobody@example.com')
    await store.accounts.bySession('nobody', NOON)

    const seen = new Map<string, Document>()
    for (const { database, command } of commands.splice(0)) {
      const { $db: _, lsid: __, readConcern: ___, $clusterTime: ____, ...explain } = command
      const plan = await client.db(database).command({ explain, verbosity: 'queryPlanner' })
      seen.set(`${command.find ?? command.aggregate} ${JSON.stringify(shapeOf(command))}`, { command: explain, plan })
    }
    expect(seen.size).toBeGreaterThan(25)
    for (const [shape, { plan }] of seen) {
      const text = JSON.stringify(plan)
      expect(text, shape).toMatch(/IXSCAN|IDHACK|COUNT_SCAN|EXPRESS|EOF/)
      expect(text, shape).not.toMatch(/COLLSCAN/)
    }
    // A plan without an index is told as such, or the lines above would prove nothing.
    const scan = await client
      .db()
      .command({ explain: { find: 'users', filter: { money: 1 } }, verbosity: 'queryPlanner' })
    expect(JSON.stringify(scan)).toMatch(/COLLSCAN/)
  })
})

/** What is asked, without the values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
  return typeof value
}
