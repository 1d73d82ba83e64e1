import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { type MongoProcess, startMongoProcess } from './mongo-process.ts'
import { ownMongo } from './need.ts'

const SILENCE_MS = 1000
/** A call is given up after three silences; before it the driver may have waited for a server and a connection. */
const GIVEN_UP_MS = 12_000
/** More than the buffers of a connection hold. */
const MANY = 3000
const LONG = 'x'.repeat(4000)

describeWith(ownMongo, 'a database that freezes with its connections open', () => {
  const { id: siteId, ...site } = sampleSite()
  let database: MongoProcess
  let store: Store
  beforeAll(async () => {
    database = await startMongoProcess()
    store = await createMongoStore({ url: `${database.url}/frozen`, silenceMs: SILENCE_MS, leaseMs: 100 })
    await store.saveSite({ id: siteId, ...site })
  })
  afterAll(async () => {
    database.thaw()
    await store.close()
    await database.close()
  })

  const batch = () =>
    sampleBatch(...Array.from({ length: MANY }, () => sampleEvent({ siteId, payload: { url: '/', title: LONG } })))

  it('holds up no batch for ever, however large, and has all of it once when it is back', async () => {
    for (const frozenAfterMs of [0, 60, 150]) {
      const whole = batch()
      const first = store.insertBatch(whole).then(
        ({ stored }) => `stored ${stored}`,
        (error: { code?: string }) => error.code,
      )
      await sleep(frozenAfterMs)
      database.freeze()
      const outcome = await Promise.race([first, sleep(GIVEN_UP_MS, 'hangs', { ref: false })])
      database.thaw()
      expect(outcome, `frozen after ${frozenAfterMs} ms`).toBe('unavailable')
      const { stored } = await insist(() => store.insertBatch(whole))
      expect(stored).toBe(MANY)
    }
    expect((await store.totals(siteId)).events).toBe(3 * MANY)
  })

  async function insist<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++)
      try {
        return await call()
      } catch (error) {
        if (tries === 20) throw error
        await sleep(200)
      }
  }
})
