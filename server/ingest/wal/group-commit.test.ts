import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
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

it.each(['EMFILE', 'EIO', 'ENOSPC'])(
  'makes a segment anew that could not be made ahead of its need (%s)',
  async (code) => {
    const disk = createSimulatedDisk()
    await disk.makeFolder('/wal/0')
    const problems: unknown[] = []
    const log = await openSlotLog({
      files: disk,
      folder: '/wal/0',
      epoch: 1,
      segmentBytes: 4096 + 2048,
      ackLevel: 'fsync',
      report: (problem) => problems.push(problem),
    })
    const append = (receivedAt: number) => log.append({ receivedAt, events: 1, payload: Buffer.alloc(600, 'x') })
    await append(1)
    disk.failNext('create', code)
    // Half a segment is full: the next is prepared, and is not there.
    await append(2)
    await vi.waitFor(() => expect(disk.failuresLeft()).toBe(0))
    for (let i = 3; i <= 8; i++) await append(i)
    expect(problems).toEqual([])
    await log.close()
  },
)

it('makes a segment anew whose making fails while it is waited for', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const held: (() => void)[] = []
  let isHolding = false
  const files: SimulatedDisk = {
    ...disk,
    async open(path, mode) {
      if (!isHolding || !path.endsWith('.seg')) return disk.open(path, mode)
      await new Promise<void>((resolve) => held.push(resolve))
      throw Object.assign(new Error('simulated EMFILE'), { code: 'EMFILE' })
    },
  }
  const settings = { folder: FOLDER, segmentBytes: 4096 + 2048, ackLevel: 'fsync' } as const
  const log = await openSlotLog({ ...settings, files, epoch: 1, report: (problem) => expect.unreachable(problem.kind) })
  const append = (receivedAt: number) => log.append({ receivedAt, events: 1, payload: Buffer.alloc(800, 'x') })
  await append(1)
  isHolding = true
  await append(2)
  await vi.waitFor(() => expect(held).toHaveLength(1))
  const third = append(3)
  await sleep(20)
  isHolding = false
  held[0]!()
  await third
  await log.close()
})

it.each(['EMFILE', 'EIO', 'EROFS'])(
  'refuses appends while no segment can be made (%s), and no longer',
  async (code) => {
    const disk = createSimulatedDisk()
    await disk.makeFolder('/wal/0')
    const problems: unknown[] = []
    const log = await openSlotLog({
      files: disk,
      folder: '/wal/0',
      epoch: 1,
      segmentBytes: 4096 + 2048,
      ackLevel: 'fsync',
      report: (problem) => problems.push(problem),
    })
    const append = () => log.append({ receivedAt: 1, events: 1, payload: Buffer.from('event') })
    disk.failNext('create', code, 2)
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
    expect(log.failing()).toBe(true)
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
    // Without anybody who appends, as when a balancer sends nothing here.
    await vi.waitFor(() => expect(log.failing()).toBe(false), 60_000)
    await append()
    expect(problems).toEqual([{ kind: 'failed', error: expect.objectContaining({ code }) }])
    await log.close()
  },
)
