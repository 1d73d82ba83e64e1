import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { createLogBoard } from '../../server/store/mongo/logs.ts'
import type { Overview } from '../../trpc/schema/stats.ts'
import type { SystemOverview } from '../../trpc/schema/system.ts'
import { describeWith } from '../needs.ts'
import { startServer, temporaryFolder } from '../server.ts'
import { eventually, signUpOwner } from '../shop.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

describeWith(mongo, 'several machines on one database', () => {
  it('know what waits in the logs of each other, also of one that is killed', async () => {
    const env = { STORE_URL: (await startMongo()).newDatabase(), DEMO: 'false' }
    const dataDir = temporaryFolder()
    // Nothing is stored by size or age, so that it waits.
    const slow = { ...env, FLUSH_EVENTS: '10000', FLUSH_INTERVAL_MS: '60000' }
    const [far, near] = await Promise.all([startServer({ env: slow, dataDir }), startServer({ env })])
    const cookie = await signUpOwner(near.url)
    const ask = async <T>(path: string) =>
      (await (await fetch(near.url + path, { headers: { cookie } })).json()) as T & { result: { data: T } }
    const body = JSON.stringify(
      [1, 2, 3].map((n) => ({
        eventId: `e-${n}`,
        userId: 'u',
        sessionId: 's',
        type: 'page_view',
        payload: { url: '/' },
      })),
    )
    const before = Date.now()
    expect((await fetch(`${far.url}/events`, { method: 'POST', body })).status).toBe(202)
    await eventually(async () => expect((await ask<Overview>('/stats')).freshness.waiting).toBe(3))
    const { totalEvents, freshness } = await ask<Overview>('/stats')
    expect(totalEvents).toBe(0)
    expect(Date.parse(freshness.completeTo)).toBeGreaterThan(before - 60_000)
    expect(Date.parse(freshness.completeTo)).toBeLessThan(Date.now())
    expect(await ask('/health')).toMatchObject({ bufferSize: 0, waitingElsewhere: 3 })
    const { log } = (await ask<SystemOverview>('/trpc/system.overview')).result.data
    expect(log.waiting).toBe(3)
    expect(log.oldestMs).toBeGreaterThan(0)

    await far.stop('SIGKILL')
    expect((await ask<Overview>('/stats')).freshness.waiting).toBe(3)
    const back = await startServer({ env, dataDir })
    await eventually(async () =>
      expect(await ask<Overview>('/stats')).toMatchObject({ totalEvents: 3, freshness: { waiting: 0 } }),
    )
    expect(await back.stop()).toBe(0)
    // Nothing waits in it, and nobody has to hear of it again.
    await eventually(async () => expect((await ask<Overview>('/stats')).freshness.waiting).toBe(0))
    await near.stop()
  })

  it('forget a log that nothing was heard of for a day', async () => {
    const client = new MongoClient((await startMongo()).newDatabase())
    const rows = collectionsOf(client.db())
    const board = createLogBoard(rows)
    const news = { host: 'far', waiting: 2, oldestMs: 10, survives: true, abandoned: 1, answersOnly: false }
    expect(await board.exchange('a', news)).toEqual([])
    const [heard, ...others] = await board.exchange('b', null)
    expect(others).toEqual([])
    expect(heard).toMatchObject(news)
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
    await rows.logs.updateOne({ _id: 'a' }, { $set: { toldAt: hoursAgo(23) } })
    expect((await board.exchange('b', null))[0]?.silentMs).toBeGreaterThan(22 * 3_600_000)
    await rows.logs.updateOne({ _id: 'a' }, { $set: { toldAt: hoursAgo(25) } })
    expect(await board.exchange('b', news)).toEqual([])
    expect(await rows.logs.countDocuments()).toBe(1)
    await board.leave('b')
    expect(await rows.logs.countDocuments()).toBe(0)
    await client.close()
  })
})
