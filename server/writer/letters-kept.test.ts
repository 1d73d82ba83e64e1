import { mkdtempSync, rmSync } from 'node:fs'
import type * as promises from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createDeadLetters } from './dead-letters.ts'

const synced: string[] = vi.hoisted(() => [])

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>()
  return {
    ...real,
    async open(...args: Parameters<typeof real.open>) {
      const file = await real.open(...args)
      const sync = file.sync.bind(file)
      file.sync = async () => {
        await sync()
        synced.push(String(args[0]))
      }
      return file
    },
  }
})

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

it('letters survive a power cut by their content, by their names, and by the name of their folder', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-letters-'))
  folders.push(dataDir)
  const dir = join(dataDir, 'dead-letters')
  const add = () => createDeadLetters({ dir }).add([{ at: 1, reason: 'test', event: null, raw: 'x' }])
  await add()
  expect(synced[0]).toBe(dataDir)
  expect(synced[1]).toMatch(/dead-letters.*draft$/)
  expect(synced.slice(2)).toEqual([dir])
  // Whoever made the folder may have been killed before it had its name for good.
  synced.length = 0
  await add()
  expect(synced).toContain(dataDir)
})
