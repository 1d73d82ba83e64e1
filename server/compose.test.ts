import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createVeritas } from './compose.ts'
import { readConfig } from './config.ts'

it('closes once, however often it is told to: a signal may come while a start that failed is closing', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-compose-'))
  const veritas = await createVeritas(readConfig({ DATA_DIR: dataDir, DEMO: 'false', LOG_LEVEL: 'silent' }))
  expect(await Promise.all([veritas.close(), veritas.close()])).toEqual([true, true])
  rmSync(dataDir, { recursive: true })
})
