import fc from 'fast-check'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../server/demo/random.ts'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { createMongoStore, storeOf } from '../../server/store/mongo/store.ts'
import { Oracle } from '../../server/store/oracle.ts'
import { type RandomShop, randomShop } from '../../server/store/random-shop.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { BatchOutcome, EventBatch, Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { eventually } from '../shop.ts'
import { compareFigures } from './compare-figures.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'
import { refusing } from './refusing.ts'

const SEED = Number(process.env.MONGO_FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31))
const MAX_TRIES = 100
const off = { configureFailPoint: 'failCommand', mode: 'off' }

/** What goes wrong with the commands of a batch, each time a few times in a row. */
const faults: Record<string, object> = {
  'an error that passes': { errorCode: 91 },
  'an error of no known kind': { errorCode: 8 },
  'a connection that ends before the command': { closeConnection: true },
  'a write that no majority confirms': { writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } },
}
/** These happen after the command took effect, which only the stand-in can do. */
const lateFaults: Record<string, object> = {
  'a connection that ends after the command': { afterApply: true, closeConnection: true },
  'an error after the command': { afterApply: true, code: 11602 },
}
const writeCommands = ['insert', 'update', 'findAndModify', 'delete']

describeWith(ownMongo, `faults of MongoDB (seed ${SEED})`, () => {
  let server: MongoServer
  let store: Store
  beforeAll(async () => {
    server = await startMongo({ own: true })
    store = await createMongoStore({ url: server.newDatabase(), leaseMs: 50, answerTimeoutMs: 2000 })
    // Of a busy machine the first connection is the slowest, and none of the faults below.
    await eventually(() => store.ping())
  })
  afterAll(() => store.close())

  let sites = 0
  function newShop(): RandomShop {
    sites += 1
    // Only a batch with an event meets every command that may be told to fail.
    const shop = fc
      .sample(
        randomShop(5).filter(({ batches }) => batches[0]!.events.length > 0),
        { seed: SEED + sites, numRuns: 3 },
      )
      .sort((a, b) => b.batches.length - a.batches.length)[0]!
    const id = `faulty-${sites}`
    const batches = shop.batches.map((batch) => ({
      id: `${id} ${batch.id}`,
      events: batch.events.map((event) => ({ ...event, siteId: id })),
    }))
    return { ...shop, site: { ...shop.site, id }, batches }
  }

  /**
   * Runs a batch until it is in, as the writer does, and asks until it is in the figures; every failure on the way must
   * be one that may be tried again.
   */
  async function insist(batch: EventBatch, siteId: string): Promise<{ outcome: BatchOutcome; failures: number }> {
    let outcome: BatchOutcome | null = null
    for (let failures = 0; ; failures++) {
      try {
        outcome ??= await store.insertBatch(batch)
        await store.totals(siteId)
        return { outcome, failures }
      } catch (error) {
        expect(error).toMatchObject({ name: 'AppError', code: 'unavailable' })
      }
      if (failures > MAX_TRIES) throw new Error(`batch ${batch.id} never went in`)
    }
  }

  async function underFaults(arm: (batch: number) => Promise<unknown>): Promise<number> {
    const shop = newShop()
    await store.saveSite(shop.site)
    const oracle = new Oracle([shop.site])
    let failures = 0
    for (const [index, batch] of shop.batches.entries()) {
      await arm(index)
      const result = await insist(batch, shop.site.id)
      await server.admin(off)
      if (server.isStandIn) await server.admin({ standIn: 'clear' })
      expect(result.outcome).toEqual(oracle.insertBatch(batch))
      failures += result.failures
    }
    await compareFigures(store, oracle, shop.site.id, `seed ${SEED}, ${shop.site.id}`)
    return failures
  }

  describe.each(Object.entries(faults))('%s', (_, data) => {
    it('costs tries and nothing else', async () => {
      const random = createRandom(SEED)
      const own = 'writeConcernError' in data ? writeCommands : [...writeCommands, 'find']
      const failures = await underFaults((batch) =>
        server.admin({
          configureFailPoint: 'failCommand',
          mode: { times: 1 + random.int(2) },
          data: { failCommands: [own[batch % own.length]], appName: 'veritas', ...data },
        }),
      )
      expect(failures).toBeGreaterThan(0)
    })
  })

  describe.each(Object.entries(lateFaults))('%s', (_, data) => {
    it('costs tries and nothing else', async ({ skip }) => {
      skip(!server.isStandIn, 'only the stand-in fails after it has done what it was told')
      const random = createRandom(SEED)
      const failures = await underFaults((batch) => {
        const command = writeCommands[batch % writeCommands.length]
        return server.admin({ standIn: 'failNext', command, times: 2, skip: random.int(6), ...data })
      })
      expect(failures).toBeGreaterThan(0)
    })
  })

  it('a server that answers nothing for a while holds nobody up for ever', async () => {
    const { id: siteId } = await store.saveSite(sampleSite())
    const arm = (command: string) =>
      server.admin({
        configureFailPoint: 'failCommand',
        mode: { times: 2 },
        data: { failCommands: [command], appName: 'veritas', blockConnection: true, blockTimeMS: 60_000 },
      })
    await arm('find')
    const began = performance.now()
    await expect(store.totals(siteId)).rejects.toMatchObject({ code: 'unavailable' })
    expect(performance.now() - began).toBeLessThan(50_000)
    await server.admin(off)
    expect((await store.insertBatch(sampleBatch(sampleEvent({ siteId })))).stored).toBe(1)
  })

  it('refuses a document that the server will not have, stores the others, and frees its id', async () => {
    const client = new MongoClient(server.newDatabase())
    const rows = collectionsOf(client.db())
    const picky = storeOf({
      writing: refusing(rows, (event) => event.type === 'poison'),
      asking: rows,
      place: 'test',
      connect: async () => {},
      disconnect: () => client.close(),
    })
    const site = await picky.store.saveSite(sampleSite())
    const poison = sampleEvent({ siteId: site.id, type: 'poison' })
    const batch = sampleBatch(sampleEvent({ siteId: site.id }), poison, sampleEvent({ siteId: site.id }))
    const outcome = await picky.store.insertBatch(batch)
    expect(outcome).toMatchObject({ fates: ['stored', 'refused', 'stored'], reasons: { 1: 'not here' }, doubtful: [1] })
    expect(await picky.store.insertBatch(batch)).toEqual(outcome)
    expect((await picky.store.totals(site.id)).events).toBe(2)
    const mended = { ...poison, type: 'page_view' }
    expect(await picky.store.insertBatch(sampleBatch(mended))).toMatchObject({ fates: ['stored'] })
    await picky.store.close()
  })
})

describe('a MongoDB that is not there', () => {
  it('opens all the same, rejects within seconds without telling the password, and closes', async () => {
    const began = performance.now()
    const store = await createMongoStore({ url: 'mongodb://shop:hush@127.0.0.1:1/shop' })
    const calls = [store.ping(), store.totals('any'), store.accounts.count(), store.insertBatch(sampleBatch())]
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { name: 'AppError', code: 'unavailable' } })
      const { message } = (call as PromiseRejectedResult).reason as Error
      expect(message).toContain('127.0.0.1:1/shop')
      expect(message).not.toContain('hush')
    }
    await store.close()
    expect(performance.now() - began).toBeLessThan(60_000)
  })

  it('refuses an address that is none', async () => {
    for (const url of ['mongodb://', 'mongodb://host:port', 'mongodb://host/?tls=maybe'])
      await expect(createMongoStore({ url })).rejects.toMatchObject({ code: 'invalid_input', field: 'STORE_URL' })
  })
})
