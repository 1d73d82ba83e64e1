import { describe, expect, it } from 'vitest'
import type { LogFiles } from './files.ts'
import { createSimulatedDisk } from './simulated-disk.ts'
import { type LogProblem, openSlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'
const FRAME_BYTES = 30_000
const FRAMES = 120
const BOUNDS = { events: 8000, bytes: 1e6 }

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

describe('a damaged stretch of megabytes', () => {
  it('is gone over in steps, and what was in it is counted', async () => {
    const disk = createSimulatedDisk()
    await disk.makeFolder(FOLDER)
    let largest = 0
    const files = (): LogFiles => ({
      ...disk,
      async open(path, mode) {
        const file = await disk.open(path, mode)
        return {
          ...file,
          read(buffer, position) {
            largest = Math.max(largest, buffer.length)
            return file.read(buffer, position)
          },
        }
      },
    })
    const problems: LogProblem[] = []
    const open = (epoch: number) =>
      openSlotLog({
        files: files(),
        folder: FOLDER,
        epoch,
        segmentBytes: 16 * 1024 * 1024,
        ackLevel: 'fsync',
        report: (problem) => void problems.push(problem),
      })
    const log = await open(1)
    const frame = (receivedAt: number) => ({ receivedAt, events: 3, payload: Buffer.alloc(FRAME_BYTES, 'x') })
    await Promise.all(Array.from({ length: 300 }, (_, i) => log.append(frame(i))))
    const path = `${FOLDER}/00000001-00000000.seg`
    disk.damage(path, (bytes) => bytes.fill(0xa5, 2_000_003, 7_000_001))

    const next = await open(2)
    const found = next.waiting().events
    const seen: number[] = []
    for (let batch = await next.next(BOUNDS); batch; batch = await next.next(BOUNDS)) {
      seen.push(...batch.frames.map(({ receivedAt }) => receivedAt))
      await next.ack(batch)
    }
    const missing = Array.from({ length: 300 }, (_, i) => i).filter((i) => !seen.includes(i))
    expect(missing.length).toBeGreaterThan(160)
    expect(missing.length).toBeLessThan(170)
    expect(seen.length + missing.length).toBe(300)
    expect(next.damaged().events).toBe(3 * missing.length)
    expect(found).toBe(900)
    expect(largest).toBeLessThanOrEqual(1024 * 1024)
    await next.close()
    await log.close()
  })
})
