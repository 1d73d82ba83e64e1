import { encodeFrame, FRAME_VERSION } from '../../server/ingest/frame.ts'
import { openDiskWal } from '../../server/ingest/wal/disk.ts'
import { eventSeq } from '../../server/store/store.ts'
import { createShoppers } from './shoppers.mjs'

/** Writes a log as a server leaves it that was killed with so many events of a shop waiting; resolves to its size. */
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
      const body = Buffer.from(`[${Array.from({ length: 100 }, nextEvent).join(',')}]`)
      const payload = encodeFrame(
        {
          version: FRAME_VERSION,
          seq: eventSeq(Date.now(), 0),
          trust: 'verified',
          siteId: 'default',
          ids: {},
          refused: [],
        },
        body,
      )
      events += 100
      bytes += payload.length
      return log.append({ receivedAt: Date.now(), events: 100, payload })
    })
    await Promise.all(appends)
  }
  await log.close()
  return { events, bytes }
}
