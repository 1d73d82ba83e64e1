import { describe, expect, it } from 'vitest'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import { type LogProblem, openSlotLog, type SlotLog } from './slot-log.ts'
import type { WalBatch } from './wal.ts'

const FOLDER = '/wal/0'
/** Small enough that a short run rotates several times. */
const SEGMENT_BYTES = 4096 + 1024
const BOUNDS = { events: 4, bytes: 100_000 }

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

async function open(disk: SimulatedDisk, epoch: number, problems: LogProblem[] = []): Promise<SlotLog> {
  await disk.makeFolder(FOLDER)
  await disk.syncFolder('/wal')
  return openSlotLog({
    files: disk,
    folder: FOLDER,
    epoch,
    segmentBytes: SEGMENT_BYTES,
    ackLevel: 'fsync',
    report: (problem) => problems.push(problem),
  })
}

/** What a crash must not change: which appends were answered, and what the store got under which batch id. */
interface World {
  answered: Set<string>
  appended: Set<string>
  batches: Map<string, string>
}

function createWorld(): World {
  return { answered: new Set(), appended: new Set(), batches: new Map() }
}

let unique = 0
function append(log: SlotLog, world: World, size = 100): Promise<void> {
  const name = `event-${unique++}-`
  world.appended.add(name)
  const payload = Buffer.from(name + 'x'.repeat(size))
  return log.append({ receivedAt: 1000 + unique, events: 1, payload }).then(() => void world.answered.add(name))
}

/** The store of these tests: the first content of a batch id counts, and another content under the same id is a failure. */
function store(world: World, batch: WalBatch): void {
  const content = batch.frames.map((frame) => frame.payload.toString().replace(/x+$/, '')).join()
  const before = world.batches.get(batch.id)
  if (before === undefined) world.batches.set(batch.id, content)
  else expect(content, `batch ${batch.id} came again with other frames`).toBe(before)
}

async function takeOne(log: SlotLog, world: World): Promise<WalBatch | null> {
  const batch = await log.next(BOUNDS)
  if (batch) store(world, batch)
  return batch
}

/** Appends in groups, batches that overlap, acks out of order, several rotations. */
async function workload(log: SlotLog, world: World): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await Promise.all([append(log, world), append(log, world, 300), append(log, world)])
    await append(log, world, 500)
    const first = await takeOne(log, world)
    const second = await takeOne(log, world)
    if (second) await log.ack(second)
    if (first && round !== 1) await log.ack(first)
    // Of fewer than a batch may have, so that another would be cut once there are more.
    await append(log, world)
    const small = await takeOne(log, world)
    await append(log, world)
    if (small && round % 2 === 0) await log.ack(small)
  }
}

async function drain(disk: SimulatedDisk, epoch: number, world: World): Promise<void> {
  const log = await open(disk, epoch)
  for (let batch = await takeOne(log, world); batch; batch = await takeOne(log, world)) await log.ack(batch)
  expect(log.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
  await log.close()
}

function expectExactlyOnce(world: World): void {
  const stored = [...world.batches.values()].flatMap((content) => content.split(','))
  const names = new Set(stored)
  expect(
    [...world.answered].filter((name) => !names.has(name)),
    'answered but missing',
  ).toEqual([])
  expect(stored.length, 'stored under two batch ids').toBe(names.size)
  expect(
    [...names].filter((name) => !world.appended.has(name)),
    'never appended',
  ).toEqual([])
}

/** Runs the workload until the disk stops at one operation; what was promised until then must hold afterwards. */
async function crashAt(
  operation: number,
  when: 'before' | 'after',
  world: World,
  disk = createSimulatedDisk(),
  epoch = 1,
) {
  disk.stopAt(operation, when)
  const run = open(disk, epoch).then((log) => workload(log, world))
  await Promise.race([run, disk.stopped])
  // Whatever was resolved by the last operation is told before the world stands still.
  await new Promise((resolve) => setImmediate(resolve))
  return disk
}

async function countOperations(): Promise<number> {
  const disk = createSimulatedDisk()
  await workload(await open(disk, 1), createWorld())
  return disk.operations
}

describe('slot log', () => {
  it('gives back what was appended, in order, once, and removes what is stored', async () => {
    const disk = createSimulatedDisk()
    const world = createWorld()
    const log = await open(disk, 1)
    for (let i = 0; i < 30; i++) await append(log, world)
    expect(log.waiting().events).toBe(30)
    for (let batch = await takeOne(log, world); batch; batch = await takeOne(log, world)) await log.ack(batch)
    expectExactlyOnce(world)
    expect([...world.batches.values()].join()).toBe([...world.answered].join())
    expect(log.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
    await log.close()
    expect(disk.paths()).toEqual([`${FOLDER}/checkpoint`])
  })

  it('syncs once for all appends that come while another is on its way', async () => {
    const disk = createSimulatedDisk()
    const log = await open(disk, 1)
    await append(log, createWorld(), 10)
    const before = disk.operations
    await Promise.all(Array.from({ length: 10 }, () => append(log, createWorld(), 10)))
    // One write and one sync, and again for those that came during the first.
    expect(disk.operations - before).toBeLessThanOrEqual(4)
  })

  it('takes a frame larger than the bounds of a batch', async () => {
    const log = await open(createSimulatedDisk(), 1)
    const world = createWorld()
    await append(log, world, 900)
    expect((await log.next({ events: 1, bytes: 10 }))?.frames).toHaveLength(1)
  })

  it('hands out everything while segments go away under the reading', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = mulberry(seed)
      const world = createWorld()
      const log = await open(createSimulatedDisk(), 1)
      const unacked: WalBatch[] = []
      // Batches that reach over segments, acked in any order while the next is being read and others are appended.
      const bounds = () => ({ events: 1 + Math.floor(random() * 90), bytes: 100_000 })
      for (let round = 0; round < 40; round++) {
        const steps: Promise<unknown>[] = []
        for (let i = Math.floor(random() * 12); i > 0; i--) steps.push(append(log, world, Math.floor(random() * 400)))
        const taking = round % 3 === 0 ? null : log.next(bounds())
        while (unacked.length > random() * 4)
          steps.push(log.ack(unacked.splice(Math.floor(random() * unacked.length), 1)[0]!))
        const batch = await taking
        if (batch) {
          store(world, batch)
          unacked.push(batch)
        }
        await Promise.all(steps)
        const { events, oldestAt } = log.pending()
        expect(oldestAt === null, `seed ${seed}, round ${round}: ${events} pending since ${oldestAt}`).toBe(
          events === 0,
        )
      }
      for (let batch = await takeOne(log, world); batch; batch = await takeOne(log, world)) await log.ack(batch)
      for (const batch of unacked) await log.ack(batch)
      expectExactlyOnce(world)
      expect(log.damaged(), `seed ${seed}`).toEqual({ frames: 0, events: 0 })
      expect(log.waiting(), `seed ${seed}`).toEqual({ events: 0, bytes: 0, oldestAt: null })
    }
  })

  it('ends a batch before a request that does not fit, however much of the segment is still to come', async () => {
    const disk = createSimulatedDisk()
    await disk.makeFolder(FOLDER)
    const segmentBytes = 4 * 1024 * 1024
    const log = await openSlotLog({
      files: disk,
      folder: FOLDER,
      epoch: 1,
      segmentBytes,
      ackLevel: 'fsync',
      report() {},
    })
    for (let i = 0; i < 30; i++) await log.append({ receivedAt: i, events: 60, payload: Buffer.alloc(100_000, i) })
    let taken = 0
    for (
      let batch = await log.next({ events: 100, bytes: 1e6 });
      batch;
      batch = await log.next({ events: 100, bytes: 1e6 })
    ) {
      expect(batch.events).toBe(60)
      taken++
    }
    expect(taken).toBe(30)
  })

  it('counts exactly what waits after a start, without having been told', async () => {
    const disk = createSimulatedDisk()
    const world = createWorld()
    const log = await open(disk, 1)
    for (let i = 0; i < 25; i++) await append(log, world)
    const first = (await takeOne(log, world))!
    const second = (await takeOne(log, world))!
    await log.ack(second)
    // What is acked is written down with the next batch that is handed out.
    await takeOne(log, world)
    const restarted = await open(disk.afterKill(), 2)
    expect(restarted.waiting().events).toBe(25 - second.events)
    expect(restarted.waiting().oldestAt).toBe(first.frames[0]!.receivedAt)
    expect(restarted.pending().events).toBe(25 - second.events)
  })

  it('F2: survives a kill at every single operation, missing nothing and storing nothing twice', async () => {
    const operations = await countOperations()
    expect(operations).toBeGreaterThan(60)
    for (let operation = 0; operation < operations; operation++) {
      for (const when of ['before', 'after'] as const) {
        const world = createWorld()
        const disk = await crashAt(operation, when, world)
        await drain(disk.afterKill(), 2, world)
        expectExactlyOnce(world)
      }
    }
  })

  it('F2: survives a second kill at every operation of the start after the first', async () => {
    const operations = await countOperations()
    for (let first = 5; first < operations; first += 7) {
      for (let second = 0; second < 25; second++) {
        const world = createWorld()
        const disk = (await crashAt(first, 'after', world)).afterKill()
        const again = await crashAt(second, 'before', world, disk, 2)
        await drain(again.afterKill(), 3, world)
        expectExactlyOnce(world)
      }
    }
  })

  it('F4: survives a power cut at every operation with any part of the unsynced writes missing', async () => {
    const operations = await countOperations()
    for (let operation = 0; operation < operations; operation++) {
      for (let seed = 0; seed < 6; seed++) {
        const world = createWorld()
        const disk = await crashAt(operation, seed % 2 ? 'before' : 'after', world)
        await drain(disk.afterPowerLoss(mulberry(operation * 100 + seed)), 2, world)
        expectExactlyOnce(world)
      }
    }
  })

  it.each([
    ['one half', 1],
    ['both halves', 2],
  ])(
    'F3: stores everything although %s of the checkpoint cannot be read and batches are cut elsewhere',
    async (_, halves) => {
      for (let taken = 1; taken <= 4; taken++) {
        const disk = createSimulatedDisk()
        const world = createWorld()
        const log = await open(disk, 1)
        for (let i = 0; i < 10; i++) await append(log, world)
        for (let batch = 0; batch < taken; batch++) store(world, (await log.next({ events: 2, bytes: 100_000 }))!)
        const after = disk.afterKill()
        after.damage(`${FOLDER}/checkpoint`, (bytes) => {
          // The newest half is the one that was written last: number `taken` in turn.
          for (let half = 0; half < halves; half++) bytes[((taken + half) % 2) * (bytes.length / 2) + 20]! ^= 1
          return bytes
        })
        const restarted = await open(after, 2)
        const again: string[] = []
        for (let batch = await restarted.next(BOUNDS); batch; batch = await restarted.next(BOUNDS)) {
          store(world, batch)
          again.push(...batch.frames.map((frame) => frame.payload.toString().replace(/x+$/, '')))
        }
        const stored = new Set([...world.batches.values()].flatMap((content) => content.split(',')))
        expect([...world.answered].filter((name) => !stored.has(name))).toEqual([])
        expect(again.length).toBeGreaterThan(10 - 2 * taken)
      }
    },
  )

  it('F3: loses only the tail of a segment that was cut short', async () => {
    for (let cut = 4096; cut < SEGMENT_BYTES; cut += 37) {
      const disk = createSimulatedDisk()
      const world = createWorld()
      const log = await open(disk, 1)
      for (let i = 0; i < 4; i++) await append(log, world)
      const after = disk.afterKill()
      const path = after.paths().find((name) => name.endsWith('00000000.seg'))!
      after.damage(path, (bytes) => bytes.subarray(0, cut))
      await drain(after, 2, world)
      const stored = [...world.batches.values()].flatMap((content) => content.split(','))
      expect(stored).toEqual([...world.answered].slice(0, stored.length))
    }
  })

  it('does not take a frame inside a payload for a frame', async () => {
    const disk = createSimulatedDisk()
    const log = await open(disk, 1)
    await log.append({ receivedAt: 1, events: 1, payload: Buffer.from('evil') })
    const path = disk.paths().find((name) => name.endsWith('.seg'))!
    let evil = Buffer.alloc(0)
    disk.damage(path, (bytes) => {
      evil = Buffer.from(bytes.subarray(4096, 4096 + 40))
      return bytes
    })
    const other = createSimulatedDisk()
    const victim = await open(other, 1)
    await victim.append({ receivedAt: 2, events: 1, payload: evil })
    await victim.append({ receivedAt: 3, events: 1, payload: Buffer.from('good') })
    const after = other.afterKill()
    after.damage(after.paths().find((name) => name.endsWith('.seg'))!, (bytes) => {
      bytes[4096] = 0
      return bytes
    })
    const restarted = await open(after, 2)
    const batch = await restarted.next(BOUNDS)
    expect(batch?.frames.map((frame) => frame.payload.toString())).toEqual(['good'])
    expect(restarted.damaged().frames).toBe(1)
  })

  it.each([
    ['write', 'EIO'],
    ['sync', 'EIO'],
    ['write', 'ENOSPC'],
    ['create', 'ENOSPC'],
  ] as const)('F8: refuses the waiters of a failed %s (%s) and goes on in a new segment', async (operation, code) => {
    const disk = createSimulatedDisk()
    const world = createWorld()
    const problems: LogProblem[] = []
    const log = await open(disk, 1, problems)
    if (operation !== 'create') await append(log, world)
    disk.failNext(operation, code)
    await expect(append(log, world)).rejects.toMatchObject({ code: 'unavailable' })
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'failed' }))
    if (operation === 'create') await new Promise((resolve) => setTimeout(resolve, 1100))
    await append(log, world)
    const after = disk.afterKill()
    await drain(after, 2, world)
    expectExactlyOnce(world)
  })

  it('F8: a refused append is not stored after a restart', async () => {
    const disk = createSimulatedDisk()
    const world = createWorld()
    const log = await open(disk, 1)
    await append(log, world)
    disk.failNext('sync', 'EIO')
    await append(log, world).catch(() => {})
    await append(log, world)
    await drain(disk.afterKill(), 2, world)
    const stored = new Set([...world.batches.values()].flatMap((content) => content.split(',')))
    expect(stored).toEqual(world.answered)
  })

  it('refuses a log of a newer version and leaves it alone', async () => {
    const disk = createSimulatedDisk()
    const log = await open(disk, 1)
    await append(log, createWorld())
    await log.close()
    const path = disk.paths().find((name) => name.endsWith('.seg'))!
    const { encodeBlock } = await import('./segment.ts')
    disk.damage(path, (bytes) => {
      encodeBlock({ magic: 'VERITAS-LOG', version: 2, id: 'x' }).copy(bytes)
      return bytes
    })
    await expect(open(disk, 2)).rejects.toThrow('newer version')
    expect(disk.paths()).toContain(path)
  })
})

it('gives the memory of a batch back once it is stored', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const log = await openSlotLog({
    files: disk,
    folder: FOLDER,
    epoch: 1,
    segmentBytes: 1024 * 1024,
    ackLevel: 'fsync',
    report: () => {},
  })
  for (const name of ['a', 'b']) await log.append({ receivedAt: 1, events: 1, payload: Buffer.alloc(100_000, name) })
  const batch = (await log.next({ events: 10, bytes: 1024 * 1024 }))!
  expect(batch.frames.map(({ payload }) => payload.toString('latin1', 0, 1))).toEqual(['a', 'b'])
  await log.ack(batch)
  expect(batch.frames.map(({ payload }) => payload.length)).toEqual([0, 0])
  await log.close()
})
