import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Oracle } from '../server/store/oracle.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { testFolder } from '../server/store/sqlite/test-folder.ts'
import { EVENTS_PER_BATCH, numberedBatch, site } from './store-kill-writer.ts'
import { writeAndKill } from './write-and-kill.ts'

const KILLS = Number(process.env.STORE_KILLS ?? 3)
const WRITER = fileURLToPath(new URL('./store-kill-writer.ts', import.meta.url))
const newFolder = testFolder()

describe('a store whose process is killed', () => {
  it(`has each batch wholly or not at all, and figures that fit (${KILLS} kills)`, async () => {
    const path = join(await newFolder(), 'veritas.db')
    const known = new Set<number>()
    let next = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const writingMs = 20 + Math.floor(Math.random() * 400)
      for (const number of await writeAndKill(WRITER, path, next, writingMs)) known.add(number)

      const store = await createSqliteStore({ path, readers: 1 })
      const counts = new Map<number, number>()
      for await (const events of store.scanEvents(site.id))
        for (const { eventId } of events) {
          const number = Number(eventId.split('-')[1])
          counts.set(number, (counts.get(number) ?? 0) + 1)
        }
      const note = `kill ${kill + 1} after ${writingMs} ms`
      expect(
        [...counts.values()].every((count) => count === EVENTS_PER_BATCH),
        note,
      ).toBe(true)
      expect(
        [...known].filter((number) => !counts.has(number)),
        `${note}: lost batches`,
      ).toEqual([])

      // As the writer does after a restart: what has no answer is run again under the same id.
      next = Math.max(...counts.keys()) + 4
      for (let number = 0; number < next; number++)
        if (!known.has(number)) await store.insertBatch(numberedBatch(number))
      for (let number = 0; number < next; number++) known.add(number)
      const totals = await store.totals(site.id)
      expect(totals.events, note).toBe(next * EVENTS_PER_BATCH)
      await store.close()
    }

    const store = await createSqliteStore({ path, readers: 1 })
    const oracle = new Oracle([site])
    for (let number = 0; number < next; number++) oracle.insertBatch(numberedBatch(number))
    const range = { siteId: site.id, from: '2026-10-01', to: '2026-12-31' }
    const byType = (a: { type: string }, b: { type: string }) => (a.type < b.type ? -1 : 1)
    const [answer, expected] = [await store.overview(range), oracle.overview(range)]
    expect({ ...answer, types: answer.types.sort(byType) }).toEqual({ ...expected, types: expected.types.sort(byType) })
    expect(await store.totals(site.id)).toEqual(oracle.totals(site.id))
    const users = { siteId: site.id, sort: 'totalEvents', order: 'desc', limit: 20 } as const
    expect((await store.listUsers(users)).users).toEqual(oracle.listUsers(users).users)
    await store.close()
  })
})
