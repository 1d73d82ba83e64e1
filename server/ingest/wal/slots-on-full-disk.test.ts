import { expect, it } from 'vitest'
import { createSimulatedDisk } from './simulated-disk.ts'
import { createSlots } from './slots.ts'

it('leaves nothing behind of a slot that cannot be taken', async () => {
  const disk = createSimulatedDisk()
  const slots = createSlots({ dir: '/wal', files: disk, onLost() {} })
  disk.failNext('write', 'ENOSPC', 3)
  for (let i = 0; i < 3; i++) await expect(slots.claim(async () => true)).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(disk.paths()).toEqual([])
  await slots.close()
})
