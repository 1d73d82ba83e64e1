import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { Oracle } from '../../server/store/oracle.ts'
import { describeWith } from '../needs.ts'
import { EVENTS_PER_BATCH, numberedBatch, site } from '../store-kill-writer.ts'
import { compareFigures } from './compare-figures.ts'
import { mongo, startMongo } from './mongo-server.ts'

const KILLS = Number(process.env.STORE_KILLS ?? 2)
/** Batches on their way at once. */
const WRITING = 3
const WRITER = fileURLToPath(new URL('./kill-writer.ts', import.meta.url))

/** Lets a process write for a while, kills it, and returns the batches that it knew to be in. */
async function writeAndKill(url: string, first: number, writingMs: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, url, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child.stdout, 'data')
  await sleep(writingMs)
  child.kill('SIGKILL')
  await exited
  // The last line may be cut.
  return output.split('\n').slice(0, -1).map(Number)
}

describeWith(mongo, 'a process that is killed while it writes to MongoDB', () => {
  it(`is followed by one that puts everything right (${KILLS} kills)`, {
    timeout: 60_000 + KILLS * 10_000,
  }, async () => {
    const server = await startMongo()
    const url = server.newDatabase()
    const first = await createMongoStore({ url })
    await first.saveSite(site)
    await first.close()
    let next = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const writingMs = 20 + Math.floor(Math.random() * 400)
      const known = new Set(await writeAndKill(url, next, writingMs))
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
