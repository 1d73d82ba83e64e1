import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Command } from '../../server/store/mongo/commands.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { Store } from '../../server/store/store.ts'
import { describeWith } from '../needs.ts'
import { type MongoProcess, startMongoProcess } from './mongo-process.ts'
import { ownMongo } from './need.ts'

const SILENCE_MS = 1000
/** A call is given up after three silences; before it the driver may have waited for a server and a connection. */
const GIVEN_UP_MS = 60_000
/** More than the buffers of a connection hold. */
const MANY = 3000
const LONG = 'x'.repeat(4000)

describeWith(ownMongo, 'a database that freezes with its connections open', () => {
  const { id: siteId, ...site } = sampleSite()
  let database: MongoProcess
  let store: Store
  /** The command after which the database freezes. */
  let freezeAfter = ''
  beforeAll(async () => {
    database = await startMongoProcess()
    const onCommand = ({ name, collection }: Command) => {
      if (`${name} ${collection}` !== freezeAfter) return
      freezeAfter = ''
      database.freeze()
    }
    store = await createMongoStore({ url: `${database.url}/frozen`, silenceMs: SILENCE_MS, leaseMs: 100, onCommand })
    await insist(() => store.saveSite({ id: siteId, ...site }))
  })
  afterAll(async () => {
    database.thaw()
    await store.close()
    await database.close()
  })

  // After the second the rows are sent, more than the connection takes while nobody reads: the driver's own limits do
  // not hold there.
  it.each(['findAndModify ledger', 'insert event_ids'])(
    'after "%s" holds up no batch for ever, and has it once when it is back',
    async (command) => {
      const batch = sampleBatch(
        ...Array.from({ length: MANY }, () => sampleEvent({ siteId, payload: { url: '/', title: LONG } })),
      )
      const before = (await insist(() => store.totals(siteId))).events
      freezeAfter = command
      const first = store.insertBatch(batch).then(
        ({ stored }) => `stored ${stored}`,
        (error: { code?: string }) => error.code,
      )
      const outcome = await Promise.race([first, sleep(GIVEN_UP_MS, 'hangs', { ref: false })])
      database.thaw()
      expect(outcome).toBe('unavailable')
      expect((await insist(() => store.insertBatch(batch))).stored).toBe(MANY)
      expect((await insist(() => store.totals(siteId))).events).toBe(before + MANY)
    },
  )

  async function insist<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++)
      try {
        return await call()
      } catch (error) {
        if (tries === 200) throw error
        await sleep(200)
      }
  }
})
