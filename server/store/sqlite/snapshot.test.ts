import { mkdtempSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sampleBatch, sampleEvent, sampleSite } from '../sample-events.ts'
import { SQLITE_FORMAT } from './migrate.ts'
import { copySqlite, inspectSqlite } from './snapshot.ts'
import { createSqliteStore } from './store.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()

/** Files of a folder that this process has open, as Linux tells them. */
function openFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`)
      return file.startsWith(folder) ? [file] : []
    } catch {
      return []
    }
  })
}

it('copies a store into a folder of any name, counts it, and lets go of both files', async () => {
  const folder = mkdtempSync(join(await newFolder(), "it's "))
  const [path, copy] = [join(folder, 'veritas.db'), join(folder, 'copy.db')]
  const store = await createSqliteStore({ path, readers: 1 })
  const { id: siteId } = await store.saveSite(sampleSite())
  await store.insertBatch(sampleBatch(sampleEvent({ siteId }), sampleEvent({ siteId, userId: 'noah' })))
  await store.close()

  const snapshot = await copySqlite(path, copy)
  expect(snapshot).toMatchObject({ counts: { sites: 1, event_ids: 2, users: 2, accounts: 0 } })
  // The oldest program that can read it: steps that only add leave it as it is.
  expect(snapshot.format).toBeGreaterThan(0)
  expect(snapshot.format).toBeLessThanOrEqual(SQLITE_FORMAT)
  expect(await inspectSqlite(copy)).toEqual(snapshot)
  expect(openFiles(folder)).toEqual([])
  expect(readdirSync(folder).sort()).toEqual(['copy.db', 'veritas.db'])
})
