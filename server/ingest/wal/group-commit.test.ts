import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import { type LogProblem, openSlotLog, type SlotLogOptions } from './slot-log.ts'

const FOLDER = '/wal/0'

/** A log of its own on a disk, and the problems that it told of. */
async function setUp(over: Partial<SlotLogOptions> = {}) {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  await disk.syncFolder('/wal')
  const problems: LogProblem[] = []
  const open = (options: Partial<SlotLogOptions> = {}) =>
    openSlotLog({
      files: disk,
      folder: FOLDER,
      epoch: 1,
      segmentBytes: 64 * 1024,
      ackLevel: 'fsync',
      report: (problem) => void problems.push(problem),
      ...over,
      ...options,
    })
  const log = await open()
  const append = (receivedAt = 1, bytes = 5) => log.append({ receivedAt, events: 1, payload: Buffer.alloc(bytes, 'x') })
  return { disk, open, log, append, problems }
}

afterEach(() => void vi.useRealTimers())

it('syncs within its time what was written after a write that failed', async () => {
  const { disk, open, append } = await setUp({ ackLevel: 'write', syncDelayMs: 50 })
  await append(1)
  disk.failNext('write', 'EIO')
  await expect(append(2)).rejects.toMatchObject({ code: 'unavailable' })
  await append(3)
  await sleep(500)

  const nothingUnsynced = () => 0.5
  const restarted = await open({ files: disk.afterPowerLoss(nothingUnsynced), epoch: 2 })
  const batch = await restarted.next({ events: 10, bytes: 1e6 })
  expect(batch?.frames.map(({ receivedAt }) => receivedAt)).toEqual([1, 3])
})

it('takes appends again soon after the disk has space, though the clock was set back meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { disk, log, append } = await setUp()
  disk.failNext('create', 'ENOSPC')
  await expect(append()).rejects.toMatchObject({ code: 'unavailable' })
  vi.setSystemTime(Date.now() - 3_600_000)
  await vi.waitFor(() => append(), 60_000)
  expect(log.waiting().events).toBe(1)
})

it.each(['EMFILE', 'EIO', 'ENOSPC'])(
  'makes a segment anew that could not be made ahead of its need (%s)',
  async (code) => {
    const { disk, log, append, problems } = await setUp({ segmentBytes: 4096 + 2048 })
    await append(1, 600)
    disk.failNext('create', code)
    // Half a segment is full: the next is prepared, and is not there.
    await append(2, 600)
    await vi.waitFor(() => expect(disk.failuresLeft()).toBe(0))
    for (let i = 3; i <= 8; i++) await append(i, 600)
    expect(problems).toEqual([])
    await log.close()
  },
)

it('makes a segment anew whose making fails while it is waited for', async () => {
  const { disk, open, problems } = await setUp({ segmentBytes: 4096 + 2048 })
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
  const log = await open({ files, epoch: 2 })
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
  expect(problems).toEqual([])
  await log.close()
})

it.each(['EMFILE', 'EIO', 'EROFS'])(
  'refuses appends while no segment can be made (%s), and no longer',
  async (code) => {
    const { disk, log, append, problems } = await setUp({ segmentBytes: 4096 + 2048 })
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
