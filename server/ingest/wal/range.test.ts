import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import { openSlotLog, type SlotLog } from './slot-log.ts'
import type { WalBatch } from './wal.ts'

const FOLDER = '/wal/0'
/** Of the two frames that fit into a segment. */
const FRAME_BYTES = 450
const ALL = { events: 100, bytes: 1e6 }

async function open(disk: SimulatedDisk, epoch: number): Promise<SlotLog> {
  await disk.makeFolder(FOLDER)
  return openSlotLog({
    files: disk,
    folder: FOLDER,
    epoch,
    segmentBytes: 4096 + 1024,
    ackLevel: 'fsync',
    report() {},
  })
}

const append = (log: SlotLog, receivedAt: number) =>
  log.append({ receivedAt, events: 1, payload: Buffer.alloc(FRAME_BYTES, receivedAt) })
const namesIn = (batch: WalBatch | null) => batch?.frames.map(({ receivedAt }) => receivedAt)

describe('a batch that comes again after a restart', () => {
  it('ends where it ended, though the empty segment it ended in is gone and others follow', async () => {
    const disk = createSimulatedDisk()
    const log = await open(disk, 1)
    for (const name of [1, 2]) await append(log, name)
    // The segment after it is there and empty: its first commit fails.
    await vi.waitFor(() => expect(disk.paths().filter((path) => path.endsWith('.seg'))).toHaveLength(2), 60_000)
    await sleep(20)
    disk.failNext('sync', 'EIO')
    await expect(append(log, 3)).rejects.toMatchObject({ code: 'unavailable' })
    const batch = (await log.next(ALL))!
    expect(namesIn(batch)).toEqual([1, 2])
    for (const name of [4, 5, 6]) await append(log, name)

    const restarted = await open(disk.afterKill(), 2)
    const again = await restarted.next(ALL)
    expect([again?.id, namesIn(again)]).toEqual([batch.id, [1, 2]])
    expect(namesIn(await restarted.next(ALL))).toEqual([4, 5, 6])
    expect(restarted.damaged()).toEqual({ frames: 0, events: 0 })
  })

  it('ends where it ended, though the segment it ended in can no longer be read', async () => {
    const disk = createSimulatedDisk()
    const log = await open(disk, 1)
    for (const name of [1, 2, 3]) await append(log, name)
    const batch = (await log.next(ALL))!
    expect(namesIn(batch)).toEqual([1, 2, 3])
    for (const name of [4, 5, 6]) await append(log, name)

    const after = disk.afterKill()
    after.damage(`${FOLDER}/00000001-00000001.seg`, (bytes) => bytes.fill(1))
    const restarted = await open(after, 2)
    const again = await restarted.next(ALL)
    expect([again?.id, namesIn(again)]).toEqual([`${batch.id}/without-1`, [1, 2]])
    // The fourth was in the segment that is lost with the end of the batch.
    expect(namesIn(await restarted.next(ALL))).toEqual([5, 6])
  })

  it('leaves nothing to wait for, though the last frame it had can no longer be read', async () => {
    const disk = createSimulatedDisk()
    const log = await open(disk, 1)
    for (const name of [1, 2]) await append(log, name)
    await log.next(ALL)

    const after = disk.afterKill()
    after.damage(`${FOLDER}/00000001-00000000.seg`, (bytes) => bytes.fill(1, 4096 + 488, 4096 + 500))
    const restarted = await open(after, 2)
    const again = (await restarted.next(ALL))!
    expect(namesIn(again)).toEqual([1])
    await restarted.ack(again)
    expect(restarted.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
    expect(restarted.damaged()).toEqual({ frames: 1, events: 1 })
  })
})
