import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createSimulatedDisk } from './simulated-disk.ts'
import { openSlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'

/** Asked at every turn of the loop while something is done: what anybody who looks may see. */
async function seenDuring(work: Promise<unknown>, look: () => number): Promise<number[]> {
  const seen = new Set<number>()
  let isOver = false
  void work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    seen.add(look())
    await setImmediate()
  }
  return [...seen]
}

it('counts each event once at every moment: while it is handed out, when that fails, and when it comes again damaged', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const settings = { folder: FOLDER, segmentBytes: 4096 + 1024, ackLevel: 'fsync', report() {} } as const
  const log = await openSlotLog({ ...settings, files: disk, epoch: 1 })
  const counted = () => log.waiting().events + log.damaged().events
  for (let i = 0; i < 10; i++) await log.append({ receivedAt: i, events: 5, payload: Buffer.alloc(100, `${i}`) })
  expect(await seenDuring(log.next({ events: 15, bytes: 1e6 }), counted)).toEqual([50])
  disk.failNext('sync', 'EIO')
  expect(
    await seenDuring(
      log.next({ events: 15, bytes: 1e6 }).catch(() => {}),
      counted,
    ),
  ).toEqual([50])
  expect(await seenDuring(log.next({ events: 15, bytes: 1e6 }), counted)).toEqual([50])

  const after = disk.afterKill()
  after.damage(`${FOLDER}/00000001-00000000.seg`, (bytes) => bytes.fill(0x77, 4096 + 40, 4096 + 50))
  const again = await openSlotLog({ ...settings, files: after, epoch: 2 })
  const countedAgain = () => again.waiting().events + again.damaged().events
  expect(countedAgain()).toBe(50)
  expect(await seenDuring(again.next({ events: 15, bytes: 1e6 }), countedAgain)).toEqual([50])
  expect(again.damaged()).toEqual({ frames: 1, events: 5 })
})
