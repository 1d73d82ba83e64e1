import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { createSqliteStore } from '../../server/store/sqlite/store.ts'
import type { Store } from '../../server/store/store.ts'
import type { Context } from '../../trpc/init.ts'
import { createCaller } from '../../trpc/router.ts'
import { startMongo } from '../mongo/mongo-server.ts'
import { storeNeeds } from '../mongo/need.ts'
import { describeWith } from '../needs.ts'
import { type StoreKind, storeKinds } from '../store-kind.ts'
import { calendarOf } from './calendar.ts'
import { type Answer, Comparison } from './compare.ts'
import { compareComparisons } from './comparisons.ts'
import { type KeptEvent, Oracle } from './figures.ts'
import { drawer, drawShop } from './random-posts.ts'
import { keptEvent } from './run.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const SHOPS = Number(process.env.COMPARISON_SHOPS ?? 2)
const FIRST_SEED = Number(process.env.COMPARISON_SEED ?? 1)

/** Shops whose clock stands somewhere in the days around their events: those of clock changes, leap days, new years. */
for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `comparisons of periods (${kind})`, () => {
    let store: Store
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'veritas-comparisons-'))
      store = await openStore(kind, folder)
    })
    afterAll(async () => {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    })

    it(
      `have the figures of the same part of the period before (${SHOPS} shops)`,
      async () => {
        const comparison = new Comparison()
        for (let seed = FIRST_SEED; seed < FIRST_SEED + SHOPS; seed++) {
          const shop = drawShop(seed, Date.UTC(2028, 1, 29, 12))
          const site = await store.saveSite({ id: randomUUID(), name: 'Shop', timeZone: shop.zone, currency: 'EUR' })
          const kept: KeptEvent[] = []
          const senders = shop.requests.flatMap(({ sender, events }) => events.map(() => sender))
          for (const { sender, events } of shop.requests)
            for (const event of events) kept.push(keptEvent(event, sender === 'server', kept.length))
          await store.insertBatch({
            id: randomUUID(),
            events: kept.map(({ eventId, userId, sessionId, type, payload, at, arrival }, index) => ({
              ...{ eventId, userId, sessionId, type, payload, siteId: site.id, occurredAt: at, receivedAt: at },
              ...{ seq: arrival, issues: null, trust: senders[index] === 'server' ? 'verified' : 'claimed' },
            })),
          })
          const oracle = new Oracle(kept, calendarOf(shop.zone))
          const draw = drawer(seed + 0.25)
          for (let clock = 0; clock < 2; clock++) {
            const near = draw.pick(kept).at + draw.below(3) * DAY_MS
            const now = draw.chance(0.5) ? near : near + draw.below(24 * 60) * MINUTE_MS
            const context = contextOf(store, site, now)
            const get = async (path: string) =>
              (await createCaller(context).stats.overview(
                Object.fromEntries(new URL(path, 'http://shop').searchParams) as never,
              )) as unknown as Answer
            await compareComparisons({ oracle, get, draw, comparison }, () => now)
          }
        }
        expect(comparison.differences.slice(0, 10)).toEqual([])
        expect(comparison.compared).toBeGreaterThan(1000 * SHOPS)
      },
      300_000 + SHOPS * 60_000,
    )
  })

async function openStore(kind: StoreKind, folder: string): Promise<Store> {
  if (kind === 'mongo') return createMongoStore({ url: (await startMongo()).newDatabase() })
  return createSqliteStore({ path: join(folder, 'veritas.db'), readers: 2 })
}

/** What the procedure needs of a request. */
function contextOf(store: Store, site: Context['site'], now: number): Context {
  const freshness = () => ({ completeTo: new Date(now).toISOString(), waiting: 0 })
  return { store, site, tool: 'oracle', account: null, now: () => now, freshness } as Partial<Context> as Context
}
