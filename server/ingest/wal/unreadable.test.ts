import { expect, it } from 'vitest'
import type { LogFiles } from './files.ts'
import { createSimulatedDisk } from './simulated-disk.ts'
import { openSlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'

it('hands out a batch that was cut although the disk could not be read for what comes after it', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  let reads = 0
  let failing = Number.POSITIVE_INFINITY
  const files: LogFiles = {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode)
      return {
        ...file,
        async read(buffer, position) {
          if (++reads === failing) throw Object.assign(new Error('simulated EIO'), { code: 'EIO' })
          return file.read(buffer, position)
        },
      }
    },
  }
  const log = await openSlotLog({ files, folder: FOLDER, epoch: 1, segmentBytes: 1e6, ackLevel: 'fsync', report() {} })
  for (let i = 0; i < 12; i++) await log.append({ receivedAt: i, events: 1, payload: Buffer.from(`event ${i}`) })

  // Each of the reads of the first batches fails once.
  const handedOut: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) {
    reads = 0
    failing = attempt % 2 === 0 ? 1 + ((attempt / 2) % 3) : Number.POSITIVE_INFINITY
    const batch = await log.next({ events: 3, bytes: 1e6 }).catch(() => null)
    if (!batch) continue
    handedOut.push(...batch.frames.map(({ receivedAt }) => receivedAt))
    await log.ack(batch)
  }
  expect(handedOut).toEqual(Array.from({ length: 12 }, (_, i) => i))
  expect(log.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
})
