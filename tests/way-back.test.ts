import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { sampleBatch, sampleEvent, sampleSite } from '../server/store/sample-events.ts'
import { Database } from '../server/store/sqlite/database.ts'
import { openMigrated } from '../server/store/sqlite/migrate.ts'
import { sqliteSteps } from '../server/store/sqlite/migrations/steps.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { temporaryFolder } from './server.ts'

const run = promisify(execFile)
const store = async (...args: string[]) =>
  (await run(process.execPath, ['--import', 'tsx', 'scripts/store.ts', ...args])).stdout

it('npm run store tells of the format, brings it on, and puts the copy of before back with all events', async () => {
  const dataDir = temporaryFolder()
  const path = join(dataDir, 'veritas.db')
  const at = ['--data-dir', dataDir]
  // As the first release left it.
  const released = await openMigrated(path, { steps: sqliteSteps.slice(0, 4) })
  released.exec('DROP TABLE store_steps')
  released.close()
  expect(JSON.parse(await store('status', '--json', ...at))).toMatchObject({ format: 4, need: 'changes', copy: null })

  expect(await store('prepare', ...at)).toContain('this version has nothing to do')
  const newer = await createSqliteStore({ path, readers: 1 })
  const { id: siteId } = await newer.saveSite(sampleSite())
  await newer.insertBatch(sampleBatch(sampleEvent({ siteId })))
  await expect(store('put-back', ...at)).rejects.toMatchObject({
    stderr: expect.stringContaining('another program has it open: end that first'),
  })
  await newer.close()

  const said = await store('put-back', ...at)
  expect(said).toContain('The store is of format 4 again')
  expect(said).toContain('Stored since then, and dead letters now: 1 event.')
  expect(readdirSync(dataDir).sort()).toEqual(['dead-letters', 'veritas.db', `veritas.db.after-${sqliteSteps.length}`])
  expect(readdirSync(join(dataDir, 'dead-letters'))).toHaveLength(1)
  const before = await Database.open(path)
  expect(before.values('user_version', 'pragma_user_version')).toEqual([4])
  before.close()
  await expect(store('put-back', ...at)).rejects.toMatchObject({ stderr: expect.stringContaining('There is no copy') })
})
