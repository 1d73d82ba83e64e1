import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { addDays } from '../../server/analysis/zones.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { randomShop } from '../../server/store/random-shop.ts'
import { createSqliteStore } from '../../server/store/sqlite/store.ts'
import { testFolder } from '../../server/store/sqlite/test-folder.ts'
import type { Store } from '../../server/store/store.ts'
import { userSort } from '../../trpc/schema/users.ts'
import { describeWith } from '../needs.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'
import { scanned } from './scanned.ts'

/** Histories fed to both engines. A failure prints the seed, which MONGO_DIFFERENTIAL_SEED repeats. */
const RUNS = Number(process.env.MONGO_DIFFERENTIAL_RUNS ?? 3)
const SEED = process.env.MONGO_DIFFERENTIAL_SEED
const newFolder = testFolder()

describeWith(mongo, 'SQLite and MongoDB', () => {
  let stores: Store[] = []
  beforeAll(async () => {
    const server = await startMongo()
    stores = [
      await createSqliteStore({ path: join(await newFolder(), 'veritas.db'), readers: 1 }),
      await createMongoStore({ url: server.newDatabase() }),
    ]
  })
  afterAll(() => Promise.all(stores.map((store) => store.close())))

  it(`answer alike after the same history (${RUNS} histories)`, { timeout: 300_000 + RUNS * 5000 }, async () => {
    let histories = 0
    await fc.assert(
      fc.asyncProperty(randomShop(), async (shop) => {
        histories += 1
        const site = { ...shop.site, id: `site-${histories}` }
        const [expected, actual] = await Promise.all(
          stores.map(async (store) => {
            const outcomes = []
            await store.saveSite(site)
            for (const { id, events } of shop.batches) {
              const own = events.map((event) => ({ ...event, siteId: site.id }))
              outcomes.push(await store.insertBatch({ id: `${site.id} ${id}`, events: own }))
            }
            return { outcomes, ...(await answers(store, site.id)) }
          }),
        )
        expect(actual).toEqual(expected)
      }),
      { numRuns: RUNS, ...(SEED && { seed: Number(SEED) }) },
    )
  })
})

/** Every question of the store, most of them over the whole history and in pages. */
async function answers(store: Store, siteId: string) {
  const totals = await store.totals(siteId)
  const { firstDay, lastDay } = totals
  if (firstDay === null || lastDay === null) return { totals }
  const whole = { siteId, from: firstDay, to: lastDay }
  const week = { siteId, from: addDays(lastDay, -40), to: addDays(lastDay, -20) }
  const overviews = await Promise.all([whole, week].map((range) => store.overview(range)))
  const hours = await Promise.all([whole, week].map((range) => store.hours(range)))
  const lists = await Promise.all(
    userSort.options.flatMap((sort) => [
      store.listUsers({ siteId, sort, order: 'asc', limit: 3, offset: 3 }),
      store.listUsers({ siteId, sort, order: 'desc', limit: 5, prefix: 'u' }),
    ]),
  )
  const { users } = await store.listUsers({ siteId, sort: 'userId', order: 'asc', limit: 100 })
  const ofUsers = await Promise.all(
    users.map(async ({ userId }) => {
      const user = { siteId, userId }
      const journey = await store.journey({ ...user, order: 'desc', limit: 1000 })
      const after = journey[Math.floor(journey.length / 2)]
      const pages = [
        store.journey({ ...user, order: 'desc', limit: 3, after }),
        store.journey({ ...user, order: 'asc', limit: 3, after }),
        store.journey({ ...user, order: 'asc', limit: 10, type: 'purchase', sessionId: 's1' }),
      ]
      return [await store.user(user), journey, await Promise.all(pages), await store.sessions({ ...user, limit: 50 })]
    }),
  )
  return { totals, overviews, hours, lists, users, ofUsers, events: await scanned(store, siteId) }
}
