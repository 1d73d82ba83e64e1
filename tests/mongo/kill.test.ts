import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { Oracle } from '../../server/store/oracle.ts'
import { describeWith } from '../needs.ts'
import { EVENTS_PER_BATCH, numberedBatch, site } from '../store-kill-writer.ts'
import { writeAndKill } from '../write-and-kill.ts'
import { compareFigures } from './compare-figures.ts'
import { startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const KILLS = Number(process.env.STORE_KILLS ?? 2)
/** Batches on their way at once. */
const WRITING = 3
const WRITER = fileURLToPath(new URL('./kill-writer.ts', import.meta.url))

describeWith(mongo, 'a process that is killed while it writes to MongoDB', () => {
  it(`is followed by one that puts everything right (${KILLS} kills)`, {
    timeout: 300_000 + KILLS * 10_000,
  }, async () => {
    const server = await startMongo()
    const url = server.newDatabase()
    const first = await createMongoStore({ url })
    await first.saveSite(site)
    await first.close()
    let next = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const writingMs = 20 + Math.floor(Math.random() * 400)
      const known = new Set(await writeAndKill(WRITER, url, next, writingMs))
      const note = `kill ${kill} after ${writingMs} ms`

      // As the writer does after a restart: what has no answer is run again under the same id.
      const store = await createMongoStore({ url, leaseMs: 100 })
      const began = next
      next = Math.max(...known) + 1 + WRITING
      for (let number = began; number < next; number++)
        if (!known.has(number)) await store.insertBatch(numberedBatch(number))
      expect((await store.totals(site.id)).events, note).toBe(next * EVENTS_PER_BATCH)
      await store.close()
    }

    const store = await createMongoStore({ url })
    const oracle = new Oracle([site])
    for (let number = 0; number < next; number++) oracle.insertBatch(numberedBatch(number))
    await compareFigures(store, oracle, site.id, `${KILLS} kills`)
    await store.close()
  })
})
