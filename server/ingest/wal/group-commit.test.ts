import { afterEach, expect, it, vi } from 'vitest'
import { createSimulatedDisk } from './simulated-disk.ts'
import { openSlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'

afterEach(() => void vi.useRealTimers())

it('takes appends again soon after the disk has space, though the clock was set back meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const log = await openSlotLog({
    files: disk,
    folder: FOLDER,
    epoch: 1,
    segmentBytes: 64 * 1024,
    ackLevel: 'fsync',
    report() {},
  })
  const append = () => log.append({ receivedAt: 1, events: 1, payload: Buffer.from('event') })
  disk.failNext('create', 'ENOSPC')
  await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
  vi.setSystemTime(Date.now() - 3_600_000)
  await vi.waitFor(append, 5000)
  expect(log.waiting().events).toBe(1)
})
