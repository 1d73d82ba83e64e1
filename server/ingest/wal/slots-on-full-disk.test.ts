import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { createSlots } from './slots.ts'

vi.mock(import('node:fs/promises'), async (original) => {
  const promises = await original()
  return {
    ...promises,
    async writeFile(path, content, options) {
      // As a full disk does: the file is there, what should be in it is not.
      await promises.writeFile(path, '', options)
      if (String(content).includes('pid')) throw Object.assign(new Error('simulated ENOSPC'), { code: 'ENOSPC' })
    },
  }
})

it('leaves nothing behind of a slot that cannot be taken', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-slots-'))
  const slots = createSlots({ dir, onLost() {} })
  for (let i = 0; i < 3; i++) await expect(slots.claim(async () => true)).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(readdirSync(join(dir, '0'))).toEqual([])
  await slots.close()
  rmSync(dir, { recursive: true })
})
