import { linkSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { sampleBatch, sampleEvent, sampleSite } from '../sample-events.ts'
import type { StoredEvent } from '../store.ts'
import { openMigrated, SQLITE_FORMAT } from './migrate.ts'
import { sqliteSteps } from './migrations/steps.ts'
import { createSqliteStore } from './store.ts'
import { testFolder } from './test-folder.ts'
import { putBackSqlite, sqliteState } from './way-back.ts'

const newFolder = testFolder()

it('the way back may be cut short anywhere: there is a store at every moment, and no event is lost', async () => {
  const path = join(await newFolder(), 'veritas.db')
  const released = await openMigrated(path, { steps: sqliteSteps.slice(0, 4) })
  released.exec('DROP TABLE store_steps')
  released.close()
  const newer = await createSqliteStore({ path, readers: 1 })
  const { id: siteId } = await newer.saveSite(sampleSite())
  const event = sampleEvent({ siteId })
  await newer.insertBatch(sampleBatch(event))
  await newer.close()

  const full = async () => {
    throw new Error('no room for letters')
  }
  await expect(putBackSqlite(path, full)).rejects.toThrow('no room')
  expect(await sqliteState(path)).toMatchObject({ format: SQLITE_FORMAT, copy: { format: 4 } })
  const again = await createSqliteStore({ path, readers: 1 })
  expect((await again.totals(siteId)).events).toBe(1)
  await again.close()

  // Killed before the copy took its place.
  const aside = `${path}.after-${SQLITE_FORMAT}`
  linkSync(path, aside)
  const kept: StoredEvent[] = []
  const keep = async (events: StoredEvent[]) => void kept.push(...events)
  expect(await putBackSqlite(path, keep)).toMatchObject({ format: 4, aside })
  expect(kept).toEqual([event])
  expect(await sqliteState(path)).toMatchObject({ format: 4, copy: null })
  expect(await sqliteState(aside)).toMatchObject({ format: SQLITE_FORMAT })
  expect(readdirSync(dirname(path)).filter((name) => name.includes('after'))).toHaveLength(1)
  await expect(putBackSqlite(path, keep)).rejects.toMatchObject({ code: 'not_found' })
})
