import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { createZoneRules } from '../../server/jobs/zone-rules.ts'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { Oracle } from '../../server/store/oracle.ts'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const silent = { warn() {}, info() {}, error() {} }

describeWith(mongo, 'new rules of time zones on MongoDB', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  it('count the days again that others had counted, all figures together', async () => {
    const url = server.newDatabase()
    // Until 2026 Vancouver had the clock of Los Angeles, which it has still by older rules.
    const site = sampleSite({ timeZone: 'America/Los_Angeles' })
    const before = await createMongoStore({ url })
    await before.saveSite(site)
    const at = (iso: string, sessionId: string) => {
      const occurredAt = Date.parse(iso)
      return {
        siteId: site.id,
        userId: sessionId < 'c' ? 'lena' : 'omar',
        sessionId,
        occurredAt,
        receivedAt: occurredAt,
      }
    }
    const events = [
      sampleEvent(at('2026-11-20T20:00:00Z', 'a')),
      sampleEvent(at('2026-11-29T07:30:00Z', 'b')),
      samplePurchase(at('2026-11-29T07:40:00Z', 'c'), { orderId: 'o1' }),
      // Set aside, of other days since than before where it is half past seven.
      samplePurchase({ ...at('2026-11-29T05:00:00Z', 'c'), trust: 'claimed' }, { orderId: 'o2' }),
      samplePurchase({ ...at('2026-11-29T06:30:00Z', 'b'), trust: 'claimed' }, { orderId: 'o2', revenue: 21 }),
      samplePurchase({ ...at('2026-11-29T07:30:00Z', 'c'), trust: 'claimed' }, { orderId: 'o2', revenue: 21 }),
      samplePurchase({ ...at('2026-11-30T07:30:00Z', 'b'), trust: 'claimed' }, { orderId: 'o2', currency: 'USD' }),
      samplePurchase({ ...at('2026-11-30T07:31:00Z', 'b'), trust: 'claimed' }, { orderId: 'o2' }),
      samplePurchase(at('2026-11-30T07:32:00Z', 'c'), { orderId: undefined }),
      samplePurchase(at('2026-11-30T07:33:00Z', 'c'), { orderId: 'o3', revenue: undefined }),
      sampleEvent(at('2026-11-29T09:00:00Z', 'c')),
      sampleEvent(at('2026-11-30T09:00:00Z', 'd')),
    ]
    await before.insertBatch(sampleBatch(...events))
    await before.totals(site.id)
    await before.close()
    const client = new MongoClient(url)
    await collectionsOf(client.db()).sites.updateOne({ _id: site.id }, { $set: { timeZone: 'America/Vancouver' } })

    const store = await createMongoStore({ url })
    let time = 0
    const rules = createZoneRules({
      store,
      siteId: site.id,
      telemetry: { log: silent, counters: { auditMismatches: 0 } },
      now: () => (time += 10_000),
    })
    await rules.compare()
    expect(() => rules.assertCounted()).toThrow('counted again')
    await rules.recount()
    rules.assertCounted()
    const oracle = new Oracle([{ ...site, timeZone: 'Etc/GMT+7' }])
    oracle.insertBatch({ id: 'all', events })
    const compare = async () => {
      for (const from of ['2026-11-01', '2026-11-29', '2026-11-30'])
        for (const to of ['2026-11-28', '2026-11-29', '2026-11-30', '2026-12-31']) {
          if (from > to) continue
          const range = { siteId: site.id, from, to }
          const byType = ({ types, ...row }: Awaited<ReturnType<typeof store.overview>>) => ({
            ...row,
            types: [...types].sort((a, b) => (a.type < b.type ? -1 : 1)),
          })
          expect(byType(await store.overview(range)), `${from} to ${to}`).toEqual(byType(oracle.overview(range)))
          expect(await store.hours(range)).toEqual(oracle.hours(range))
        }
    }
    await compare()
    // A server's own purchase takes the place of the one that the order counted by.
    const later = samplePurchase(at('2026-11-29T20:00:00Z', 'c'), { orderId: 'o2', revenue: 21 })
    await store.insertBatch(sampleBatch(later))
    oracle.insertBatch({ id: 'later', events: [later] })
    await compare()
    await Promise.all([store.close(), client.close()])
  })
})
