import { sampleFrame } from '../../server/ingest/sample-frame.ts'
import { openDiskWal } from '../../server/ingest/wal/disk.ts'
import { createShoppers } from './shoppers.mjs'

/** Writes a log as left by a killed server with this many events (or bytes) waiting. Resolves to its size. */
export async function writeLog(dir: string, size: { events: number } | { bytes: number }) {
  const log = await openDiskWal({
    dir,
    ackLevel: 'write',
    segmentBytes: 16 * 1024 * 1024,
    switchBytes: Number.MAX_SAFE_INTEGER,
    report: (problem) => {
      throw new Error(`The log cannot be made: ${problem.kind}`)
    },
  })
  const nextEvent = createShoppers('shop', `log-${Date.now()}`)
  let events = 0
  let bytes = 0
  while ('events' in size ? events < size.events : bytes < size.bytes) {
    const appends = Array.from({ length: 50 }, () => {
      const frame = sampleFrame(`[${Array.from({ length: 100 }, nextEvent).join(',')}]`, { events: 100 })
      events += frame.events
      bytes += frame.payload.length
      return log.append(frame)
    })
    await Promise.all(appends)
  }
  await log.close()
  return { events, bytes }
}
