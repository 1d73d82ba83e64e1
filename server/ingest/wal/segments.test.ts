import { describe, expect, it } from 'vitest'
import { createSimulatedDisk } from './simulated-disk.ts'
import { openSlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'
const FRAME_BYTES = 30_000
const FRAMES = 120

describe('batches that are bounded by bytes', () => {
  it('end before the frame that does not fit, with megabytes behind it', async () => {
    const disk = createSimulatedDisk()
    await disk.makeFolder(FOLDER)
    const log = await openSlotLog({
      files: disk,
      folder: FOLDER,
      epoch: 1,
      segmentBytes: 16 * 1024 * 1024,
      ackLevel: 'fsync',
      report: (problem) => expect.unreachable(problem.kind),
    })
    const frame = (receivedAt: number) => ({ receivedAt, events: 100, payload: Buffer.alloc(FRAME_BYTES, receivedAt) })
    await Promise.all(Array.from({ length: FRAMES }, (_, i) => log.append(frame(i))))

    const seen: number[] = []
    const sizes: number[] = []
    for (;;) {
      const batch = await log.next({ events: 8000, bytes: FRAME_BYTES * 10 + 1000 })
      if (!batch) break
      sizes.push(batch.frames.length)
      seen.push(...batch.frames.map(({ receivedAt }) => receivedAt))
      await log.ack(batch)
    }
    expect(sizes).toEqual(Array.from({ length: FRAMES / 10 }, () => 10))
    expect(seen).toEqual(Array.from({ length: FRAMES }, (_, i) => i))
    await log.close()
  })
})
