import { afterEach, describe, expect, it } from 'vitest'
import { openDiskWal } from './disk.ts'
import type { ProcessFacts } from './owner.ts'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import type { Wal } from './wal.ts'

const DIR = '/wal'
const ALL = { events: 1000, bytes: 1e6 }

const running: Wal[] = []
afterEach(async () => {
  for (const wal of running.splice(0)) await wal.close()
})

/** Of a machine on which only the last process that was started lives. */
let lastPid = 100
function newProcess(): ProcessFacts {
  const pid = ++lastPid
  return {
    self: () => ({ pid, startedAt: '1', bootId: 'boot', pidSpace: 'host' }),
    startOf: (other) => (other === lastPid ? '1' : undefined),
  }
}

async function start(files: SimulatedDisk): Promise<Wal> {
  const wal = await openDiskWal({
    dir: DIR,
    files,
    ackLevel: 'fsync',
    segmentBytes: 4096 + 1024,
    switchBytes: 1e9,
    owners: { facts: newProcess() },
    report: (problem) => expect.unreachable(JSON.stringify(problem)),
  })
  running.push(wal)
  return wal
}

async function stop(wal: Wal): Promise<void> {
  running.splice(running.indexOf(wal), 1)
  await wal.close()
}

let unique = 0
async function append(wal: Wal, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => `event ${unique++}`)
  for (const name of names) await wal.append({ receivedAt: unique, events: 1, payload: Buffer.from(name) })
  return names
}

/** Stores all that waits, as the writer does. */
async function drain(wal: Wal): Promise<string[]> {
  const names: string[] = []
  for (let batch = await wal.next(ALL); batch; batch = await wal.next(ALL)) {
    names.push(...batch.frames.map(({ payload }) => payload.toString()))
    await wal.ack(batch)
  }
  expect(wal.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
  expect(wal.damaged()).toEqual({ frames: 0, events: 0 })
  return names
}

/** What a backup has of a log: its segments and nothing else. */
async function restored(disk: SimulatedDisk): Promise<SimulatedDisk> {
  const copy = disk.afterKill()
  for (const path of copy.paths()) if (!path.endsWith('.seg')) await copy.remove(path)
  return copy
}

describe.each([1, 2, 3, 5])('a log of a server that was started %i times', (starts) => {
  async function used(): Promise<{ disk: SimulatedDisk; names: string[] }> {
    const disk = createSimulatedDisk()
    for (let n = 1; n < starts; n++) {
      const wal = await start(disk)
      await append(wal, 12)
      await drain(wal)
      await stop(wal)
    }
    const wal = await start(disk)
    const names = await append(wal, 20)
    running.splice(running.indexOf(wal), 1)
    return { disk, names }
  }

  it('is stored after a restore, and so is what comes after two starts more', async () => {
    const { disk: old, names } = await used()
    const disk = await restored(old)
    const first = await start(disk)
    expect(await drain(first)).toEqual(names)
    await stop(first)
    for (let n = 0; n < 3; n++) {
      const wal = await start(disk)
      const more = await append(wal, 10)
      expect(await drain(wal)).toEqual(more)
      await stop(wal)
    }
  })

  it('loses nothing when its locks are removed between the starts', async () => {
    const { disk: old, names } = await used()
    const disk = old.afterKill()
    const expected = [...names]
    const stored: string[] = []
    for (let n = 0; n < 3; n++) {
      for (const path of disk.paths()) if (path.includes('/lock-')) await disk.remove(path)
      const wal = await start(disk)
      expected.push(...(await append(wal, 3)))
      if (n > 0) stored.push(...(await drain(wal)))
      await stop(wal)
    }
    const last = await start(disk)
    expect([...stored, ...(await drain(last))].sort()).toEqual(expected.sort())
  })
})

it('hands out a segment whose place was handed out before, though an earlier version gave it that place', async () => {
  const disk = createSimulatedDisk()
  const wal = await start(disk)
  await append(wal, 3)
  await drain(wal)
  await stop(wal)
  const other = createSimulatedDisk()
  const before = await start(other)
  const names = await append(before, 3)
  await stop(before)
  // The checkpoint is beyond the first segment of the first epoch by now, and a segment of that name comes.
  const again = await start(disk)
  await append(again, 2)
  await drain(again)
  await stop(again)
  const file = await disk.open('/wal/0/00000001-00000000.seg', 'create')
  await file.write(other.bytesOf('/wal/0/00000001-00000000.seg'), 0)
  const last = await start(disk)
  expect(last.waiting().events).toBe(3)
  expect(await drain(last)).toEqual(names)
})

it('knows of an older copy of a segment, put back, that all of it was handed out', async () => {
  const disk = createSimulatedDisk()
  const wal = await start(disk)
  await append(wal, 3)
  const path = '/wal/0/00000001-00000000.seg'
  const older = disk.bytesOf(path)
  await append(wal, 5)
  await drain(wal)
  await stop(wal)
  const file = await disk.open(path, 'create')
  await file.write(older, 0)
  const again = await start(disk)
  expect(again.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
  const names = await append(again, 2)
  expect(await drain(again)).toEqual(names)
})

describe('two owners of a slot', () => {
  it('an owner whose lock was removed acknowledges nothing more, before any heartbeat', async () => {
    const disk = createSimulatedDisk()
    const lost: string[] = []
    const open = (files: SimulatedDisk) =>
      openDiskWal({
        dir: DIR,
        files,
        ackLevel: 'fsync',
        segmentBytes: 64 * 1024,
        switchBytes: 1e9,
        owners: { facts: newProcess(), heartbeatMs: 2 ** 31 - 1 },
        report: (problem) => problem.kind === 'lost' && lost.push(problem.path),
      })
    const first = await open(disk)
    const names = await append(first, 2)
    for (const path of disk.paths()) if (path.includes('/lock-')) await disk.remove(path)
    const second = await open(disk)
    await expect(append(first, 1)).rejects.toMatchObject({ code: 'unavailable' })
    expect(lost).toEqual(['/wal/0'])
    const more = await append(second, 2)
    expect(await drain(second)).toEqual(expect.arrayContaining([...names, ...more]))
    await expect(first.next(ALL)).rejects.toThrow()
    await second.close()
    await first.close()
  })
})

it('a slot survives a power cut with what was answered in it', async () => {
  for (let cut = 0; cut < 40; cut++) {
    const disk = createSimulatedDisk()
    const wal = await start(disk)
    const names = await append(wal, 2)
    running.splice(running.indexOf(wal), 1)
    let seed = cut
    const after = disk.afterPowerLoss(() => {
      seed = (seed * 48271 + 11) % 2147483647
      return seed / 2147483647
    })
    const next = await start(after)
    expect(await drain(next), `cut ${cut}`).toEqual(names)
    await stop(next)
  }
})
