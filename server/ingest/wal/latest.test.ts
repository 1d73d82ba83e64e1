import { expect, it, vi } from 'vitest'
import { createRandom } from '../../demo/random.ts'
import { openDiskWal } from './disk.ts'
import { readSegmentHead } from './segment.ts'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import type { Wal } from './wal.ts'

let pid = 0
/** Each a process that alone lives. */
function open(files: SimulatedDisk, living = 1): Promise<Wal> {
  const own = ++pid
  return openDiskWal({
    dir: '/wal',
    files,
    ackLevel: 'fsync',
    segmentBytes: 4096 + 2048,
    switchBytes: 1e9,
    owners: {
      facts: {
        self: () => ({ pid: own, startedAt: '1', bootId: 'boot', pidSpace: 'host' }),
        startOf: (other) => (other > own - living ? '1' : undefined),
      },
    },
    report: (problem) => expect.unreachable(problem.kind),
  })
}

const frame = (receivedAt: number, arrivedAt?: number) => ({
  receivedAt,
  ...(arrivedAt !== undefined && { arrivedAt }),
  events: 1,
  payload: Buffer.alloc(300, 'x'),
})

async function drain(wal: Wal): Promise<void> {
  for (let batch = await wal.next({ events: 9, bytes: 1e6 }); batch; batch = await wal.next({ events: 9, bytes: 1e6 }))
    await wal.ack(batch)
}

it('a log that is stored to its end knows how far the order of arrival came, in any of its slots', async () => {
  const disk = createSimulatedDisk()
  const first = await open(disk)
  expect(first.latestAt()).toBeNull()
  const second = await open(disk, 2)
  await second.append(frame(2000, 90_000))
  await second.append(frame(3000))
  await first.append(frame(1000, 7000))
  for (const wal of [first, second]) {
    await drain(wal)
    await wal.close()
  }
  expect(disk.paths().filter((path) => path.endsWith('.seg'))).toEqual([])
  const third = await open(disk)
  expect(third.latestAt()).toBe(90_000)
  await third.append(frame(1000))
  await drain(third)
  await third.close()
  const fourth = await open(disk)
  expect(fourth.latestAt()).toBe(90_000)
  await fourth.close()
})

it('so does one that was killed with events in it, by its notes and its frames', async () => {
  const disk = createSimulatedDisk()
  const wal = await open(disk)
  await wal.append(frame(1000, 50_000))
  const [path] = disk.paths().filter((name) => name.endsWith('.seg'))
  await vi.waitFor(() => expect(readSegmentHead(disk.bytesOf(path!), path!).noted?.events).toBe(1), 60_000)
  const noted = await open(disk.afterKill())
  // And what may have come since.
  expect(noted.latestAt()).toBe(51_000)
  await wal.append(frame(70_000))
  const found = await open(disk.afterKill())
  expect(found.latestAt()).toBe(70_001)
})

it('and none falls behind what was answered, wherever the power is cut', async () => {
  for (let cut = 0; cut < 60; cut++) {
    const random = createRandom(cut, 3)
    const disk = createSimulatedDisk()
    const wal = await open(disk)
    let latest = 0
    for (let step = 0; step < 12; step++) {
      latest = 1000 + step
      await wal.append(frame(latest))
      if (random.chance(0.4)) await drain(wal)
    }
    if (random.chance(0.3)) await wal.close()
    const next = await open(disk.afterPowerLoss(() => random.next()))
    expect(next.latestAt(), `cut ${cut}`).toBeGreaterThan(latest)
  }
})
