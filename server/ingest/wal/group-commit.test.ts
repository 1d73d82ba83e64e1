import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { createSimulatedDisk } from './simulated-disk.ts'
import { openSlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'

afterEach(() => void vi.useRealTimers())

it('syncs within its time what was written after a write that failed', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const settings = { folder: FOLDER, segmentBytes: 64 * 1024, ackLevel: 'write', syncDelayMs: 50, report() {} } as const
  const log = await openSlotLog({ ...settings, files: disk, epoch: 1 })
  const append = (receivedAt: number) => log.append({ receivedAt, events: 1, payload: Buffer.from('event') })
  await disk.syncFolder('/wal')
  await append(1)
  disk.failNext('write', 'EIO')
  await expect(append(2)).rejects.toMatchObject({ code: 'unavailable' })
  await append(3)
  await sleep(500)

  const nothingUnsynced = () => 0.5
  const restarted = await openSlotLog({ ...settings, files: disk.afterPowerLoss(nothingUnsynced), epoch: 2 })
  const batch = await restarted.next({ events: 10, bytes: 1e6 })
  expect(batch?.frames.map(({ receivedAt }) => receivedAt)).toEqual([1, 3])
})

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
