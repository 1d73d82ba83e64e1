import fc from 'fast-check'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../server/demo/random.ts'
import { idBesideClaim } from '../../server/store/event-digest.ts'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import { storeOf } from '../../server/store/mongo/store.ts'
import { Oracle } from '../../server/store/oracle.ts'
import { type RandomShop, randomShop } from '../../server/store/random-shop.ts'
import type { BatchOutcome, EventBatch, Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { compareFigures } from './compare-figures.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'
import { scanned } from './scanned.ts'

/** Crashes after each write of so many histories; 0 for a sample of one. */
const HISTORIES = Number(process.env.MONGO_CRASH_HISTORIES ?? 0)
const SAMPLE = 6
const WORLDS = Number(process.env.MONGO_CRASH_WORLDS ?? 3)
const SEED = Number(process.env.MONGO_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31))
const DAY_MS = 86_400_000

describeWith(mongo, 'a process that dies', () => {
  let server: MongoServer
  let client: MongoClient
  beforeAll(async () => {
    server = await startMongo()
    client = new MongoClient(server.newDatabase(), { writeConcern: { w: 'majority', j: true } })
  })
  afterAll(() => client.close())

  let worlds = 0
  async function newWorld(shop: RandomShop): Promise<Collections> {
    worlds += 1
    const rows = collectionsOf(client.db(`${client.db().databaseName}_${worlds}`))
    const { store, prepare } = process(rows, new Life(Number.POSITIVE_INFINITY))
    await prepare()
    await store.saveSite(shop.site)
    return rows
  }
  /** With no lease at all: whoever finds a fold goes on with it, even if its owner is at work. */
  function process(rows: Collections, life: Life) {
    const own = mortal(rows, life)
    return storeOf({
      writing: own,
      asking: own,
      place: 'test',
      connect: async () => {},
      leaseMs: 0,
      disconnect: async () => {},
    })
  }

  describe('after any of its writes', () => {
    it(`leaves what the next one puts right (seed ${SEED})`, { timeout: 300_000 + HISTORIES * 600_000 }, async () => {
      for (let history = 0; history < Math.max(1, HISTORIES); history++) {
        const shop = sampleShop(SEED + history, 4)
        const { rows, life } = { rows: await newWorld(shop), life: new Life(Number.POSITIVE_INFINITY) }
        await runAll(process(rows, life).store, shop)
        const step = HISTORIES > 0 ? 1 : Math.ceil(life.written / SAMPLE)
        const random = createRandom(SEED)
        for (let dies = 1 + (HISTORIES > 0 ? 0 : SEED % step); dies < life.written; dies += step) {
          // The second dies somewhere while it puts things right.
          const again = 1 + Math.floor(random.next() * life.written)
          await dieTwice(shop, dies, again, `seed ${SEED + history}, dies after ${dies}, then ${again} writes`)
        }
      }
    })
  })

  async function dieTwice(shop: RandomShop, dies: number, again: number, note: string): Promise<void> {
    const rows = await newWorld(shop)
    const oracle = new Oracle([shop.site])
    for (const life of [new Life(dies), new Life(again)])
      await runAll(process(rows, life).store, shop).catch((error: unknown) => {
        if (!life.isOver) throw error
      })
    const { store } = process(rows, new Life(Number.POSITIVE_INFINITY))
    for (const batch of shop.batches) expect(await store.insertBatch(batch), note).toEqual(oracle.insertBatch(batch))
    await compareFigures(store, oracle, shop.site.id, note)
  }

  describe('while others write, fold and ask', () => {
    const seeds = Array.from({ length: WORLDS }, (_, world) => SEED + world)
    it.each(seeds)('changes no figure (seed %i)', async (seed) => {
      const shop = sampleShop(seed, 12)
      const crowd = createCrowd(await newWorld(shop), shop, createRandom(seed))
      let isWriting = true
      const asking = Promise.all([1, 2, 3].map(() => crowd.ask(() => isWriting)))
      // Two at the same batches, as when a frozen process wakes up after another took over its log, and one at others.
      const orders = [shop.batches, shop.batches, [...shop.batches].reverse()]
      await Promise.all(orders.map(crowd.write)).finally(() => {
        isWriting = false
      })
      await asking
      await crowd.check(`seed ${seed}`)
    })
  })

  function createCrowd(rows: Collections, shop: RandomShop, random: Random) {
    const outcomes = new Map<string, BatchOutcome>()
    let answered = 0
    let begun = 0
    const chance = () => random.next()
    const newLife = () => new Life(random.chance(0.7) ? 5 + random.int(120) : Number.POSITIVE_INFINITY, chance)

    /** Goes on after each death under the same ids. */
    async function write(batches: EventBatch[]): Promise<void> {
      let life = newLife()
      let { store } = process(rows, life)
      for (const batch of batches) {
        begun += batch.events.length
        let outcome: BatchOutcome | null = null
        while (!outcome) {
          if (life.isOver) {
            life = newLife()
            store = process(rows, life).store
          }
          outcome = await store.insertBatch(batch).catch(() => null)
        }
        if (!outcomes.has(batch.id)) answered += outcome.stored
        expect(outcomes.get(batch.id) ?? outcome).toEqual(outcome)
        outcomes.set(batch.id, outcome)
      }
    }

    /** Whatever the others are at, an answer has all that was answered before, and its parts fit. */
    async function ask(goOn: () => boolean): Promise<void> {
      const { store } = process(rows, new Life(Number.POSITIVE_INFINITY, chance))
      const siteId = shop.site.id
      const day = (days: number) => new Date(shop.near + days * DAY_MS).toISOString().slice(0, 10)
      while (goOn()) {
        const atLeast = answered
        const row = await store.overview({ siteId, from: day(-40), to: day(40) })
        expect(row.events).toBeGreaterThanOrEqual(atLeast)
        expect(row.events).toBeLessThanOrEqual(begun)
        const { users } = await store.listUsers({ siteId, sort: 'totalEvents', order: 'desc', limit: 1000 })
        expect(users.length).toBeGreaterThanOrEqual(row.users)
        for (const { userId } of users.slice(0, 3)) {
          const sessions = await store.sessions({ siteId, userId, limit: 1000 })
          expect(sessions.map((session) => session.number)).toEqual(sessions.map((_, place) => sessions.length - place))
        }
      }
    }

    /** Who came first is open; what is there is counted. */
    async function check(note: string): Promise<void> {
      const { store } = process(rows, new Life(Number.POSITIVE_INFINITY))
      const events = await scanned(store, shop.site.id)
      const all = shop.batches.flatMap((batch) => batch.events)
      const ids = events.map((event) => event.eventId)
      // What a server states is stored beside what a browser claimed under its id, where that came first.
      const beside = new Set(
        all.filter(({ trust }) => trust === 'verified').map((event) => idBesideClaim(event.eventId)),
      )
      expect(new Set(ids.filter((id) => !beside.has(id))), note).toEqual(new Set(all.map((event) => event.eventId)))
      expect(new Set(ids).size, note).toBe(ids.length)
      expect(answered, note).toBe(ids.length)
      const oracle = new Oracle([shop.site])
      oracle.insertBatch({ id: 'all', events })
      await compareFigures(store, oracle, shop.site.id, note)
    }

    return { write, ask, check }
  }
})

function sampleShop(seed: number, batches: number): RandomShop {
  return fc.sample(randomShop(batches), { seed, numRuns: 5 }).sort((a, b) => b.batches.length - a.batches.length)[0]!
}

/** Every second batch, so that folds of one and of more are made: a question has them made at once. */
async function runAll(store: Store, { site, batches }: RandomShop): Promise<void> {
  for (const [index, batch] of batches.entries()) {
    await store.insertBatch(batch)
    if (index % 2 === 1 || index === batches.length - 1) await store.totals(site.id)
  }
}
