import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { createAuditJob } from '../server/jobs/audit.ts'
import { forgetPassedOver } from '../server/jobs/audit-progress.ts'
import { openStore } from '../server/store/open.ts'
import { DAY_MS, sampleBatch, sampleEvent } from '../server/store/sample-events.ts'
import { testFolder } from '../server/store/sqlite/test-folder.ts'
import type { Store } from '../server/store/store.ts'
import { createTelemetry } from '../server/telemetry/telemetry.ts'
import { awayFromHours } from './day-boundary.ts'
import { type MongoServer, startMongo } from './mongo/mongo-server.ts'
import { storeNeeds } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { type StoreKind, storeKinds } from './store-kind.ts'

const site = { id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' }
const siteId = site.id
await awayFromHours(0)
const [LAST, BEFORE] = [1, 2].map((days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10))
const newFolder = testFolder()
let server: MongoServer

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `an audit that ends its process (${kind})`, () => {
    beforeAll(async () => {
      if (kind === 'mongo') server = await startMongo()
    })

    it('passes the user over who did, and counts all others', async () => {
      const { store, places } = await openShop(kind)
      const tooMuch = places[2]!
      const isTooMuch = ({ places }: Asked) => places.includes(tooMuch)
      // The whole step, then the user alone.
      for (let ends = 0; ends < 2; ends++) expect((await nextProcess(store, isTooMuch)).hasEnded).toBe(true)
      const third = await nextProcess(store, isTooMuch)
      expect(third).toMatchObject({ hasEnded: false, mismatches: 1, counted: [LAST, BEFORE] })
      expect(third.users).toEqual(places.slice(3))
      expect(await store.moving.mark(`audit under way of ${siteId}`)).toBeNull()
      // On another night nothing is wrong any more.
      expect(await nextProcess(store, () => false)).toMatchObject({ mismatches: 0, users: places })
      await store.close()
    })

    it('passes the day over that did, until somebody has counted it by hand', async () => {
      const { store } = await openShop(kind)
      const isTooMuch = ({ day }: Asked) => day === LAST
      for (let ends = 0; ends < 2; ends++) expect((await nextProcess(store, isTooMuch)).hasEnded).toBe(true)
      expect(await nextProcess(store, isTooMuch)).toMatchObject({ hasEnded: false, mismatches: 1, counted: [BEFORE] })
      expect(await nextProcess(store, isTooMuch)).toMatchObject({ hasEnded: false, mismatches: 0, counted: [BEFORE] })
      await forgetPassedOver(store.moving, siteId, LAST!)
      expect(await nextProcess(store, () => false)).toMatchObject({ mismatches: 0, counted: [LAST, BEFORE] })
      await store.close()
    })

    it('is none that a server which closes had begun', async () => {
      const { store, places } = await openShop(kind)
      for (const isTooMuch of [({ places }: Asked) => places.length > 0, ({ day }: Asked) => day === LAST])
        for (let stops = 0; stops < 3; stops++) {
          const stopped = await nextProcess(store, isTooMuch)
          expect(stopped.hasEnded).toBe(true)
          stopped.stop()
          await expect
            .poll(() => store.moving.mark(`audit under way of ${siteId}`), { timeout: 60_000 })
            .toMatch(/"isUnderWay":false/)
        }
      expect(await nextProcess(store, () => false)).toMatchObject({ mismatches: 0, counted: [LAST, BEFORE] })
      expect(await nextProcess(store, () => false)).toMatchObject({ mismatches: 0, users: places })
      await store.close()
    })
  })

/** What is to be counted: users by their places in the order of the audit, or a day. */
interface Asked {
  places: string[]
  day: string | null
}

/** Audits the last days as a process does that ends, never to be heard of again, at what is too much for it. */
async function nextProcess(store: Store, isTooMuch: (asked: Asked) => boolean) {
  const telemetry = createTelemetry({ logLevel: 'silent' })
  const counted: string[] = []
  const users: string[] = []
  let end = () => {}
  const ended = new Promise<true>((resolve) => {
    end = () => resolve(true)
  })
  const never = (): Promise<never> => {
    end()
    return new Promise(() => {})
  }
  const job = createAuditJob({
    store: {
      moving: store.moving,
      totals: (id) => store.totals(id),
      auditTotals: (query) => store.auditTotals(query),
      async auditUsers(query) {
        if (query.one === 'pass over') return store.auditUsers(query)
        const places = await placesFrom(store, query.after, query.since, query.one ? 1 : 1000)
        if (isTooMuch({ places, day: null })) return never()
        users.push(...places)
        return store.auditUsers(query)
      },
      async auditDay(query) {
        if (isTooMuch({ places: [], day: query.day })) return never()
        counted.push(query.day)
        return store.auditDay(query)
      },
    },
    siteId,
    days: 2,
    telemetry,
  })
  const stopping = new AbortController()
  const run = job.run({ day: LAST!, site, signal: stopping.signal }).then(() => false)
  const hasEnded = await Promise.race([run, ended])
  return { hasEnded, counted, users, mismatches: telemetry.counters.auditMismatches, stop: () => stopping.abort() }
}

async function openShop(kind: StoreKind) {
  const mongoUrl = kind === 'mongo' ? await server.newDatabase() : null
  const storePath = mongoUrl === null ? join(await newFolder(), 'veritas.db') : ''
  const store = await openStore({ mongoUrl, storePath, storeReaders: 1 })
  await store.saveSite(site)
  const events = [LAST, BEFORE].flatMap((day) =>
    [1, 2, 3, 4, 5].map((n) =>
      sampleEvent({ siteId, userId: `user-${n}`, occurredAt: Date.parse(`${day}T12:00:00Z`) + n }),
    ),
  )
  await store.insertBatch(sampleBatch(...events))
  // Waits for the rows of the users, which the audit goes by.
  await store.totals(siteId)
  return { store, places: await placesFrom(store, null, 0, 1000) }
}

/** The places of users, each of which is where the step after that user begins. */
async function placesFrom(store: Store, after: string | null, since: number, most: number): Promise<string[]> {
  const places: string[] = []
  for (let place = after; places.length < most; ) {
    const { next } = await store.auditUsers({ siteId, since, after: place, one: 'pass over', mend: false })
    if (next === null) break
    places.push(next)
    place = next
  }
  return places
}
