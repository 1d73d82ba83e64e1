import { describe, expect, it } from 'vitest'
import { createRandom } from '../../demo/random.ts'
import { frameBytes } from './frame-header.ts'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'
import { type LogProblem, openSlotLog, type SlotLog } from './slot-log.ts'

const FOLDER = '/wal/0'
const SEGMENT_BYTES = 4096 + 3 * 4096
const BOUNDS = { events: 40, bytes: 1e6 }

async function open(disk: SimulatedDisk, epoch: number, problems: LogProblem[] = []): Promise<SlotLog> {
  await disk.makeFolder(FOLDER)
  const report = (problem: LogProblem) => void problems.push(problem)
  return openSlotLog({ files: disk, folder: FOLDER, epoch, segmentBytes: SEGMENT_BYTES, ackLevel: 'fsync', report })
}

/** Frames of one to nine events, in commits of several, over several segments; all of them are answered. */
async function fill(disk: SimulatedDisk, seed: number, close: boolean): Promise<Map<string, Posted>> {
  const random = createRandom(seed, 3)
  const log = await open(disk, 1)
  const promised = new Map<string, Posted>()
  while (promised.size < 60)
    await Promise.all(
      Array.from({ length: 1 + random.int(4) }, async () => {
        const name = `frame ${promised.size}`
        const events = 1 + random.int(9)
        const payload = Buffer.from(`${name} ${'x'.repeat(random.int(700))}`)
        promised.set(name, { events, bytes: frameBytes(payload.length) })
        await log.append({ receivedAt: 1000 + promised.size, events, payload })
      }),
    )
  if (close) await log.close()
  return promised
}

interface Posted {
  events: number
  bytes: number
}

interface Outcome {
  missing: Posted[]
  missingEvents: number
  lost: number
  problems: LogProblem[]
  kept: number
}

/** Starts on the disk, stores all there is, and counts what is missing of what was promised. */
async function recover(disk: SimulatedDisk, promised: Map<string, Posted>): Promise<Outcome> {
  const problems: LogProblem[] = []
  const log = await open(disk, 2, problems)
  const total = log.waiting().events + log.damaged().events
  const left = new Map(promised)
  for (let batch = await log.next(BOUNDS); batch; batch = await log.next(BOUNDS)) {
    for (const { payload, events } of batch.frames) {
      const name = payload.toString().split(' ').slice(0, 2).join(' ')
      expect(left.get(name)?.events, `${name} is stored twice, was never posted or has other events`).toBe(events)
      left.delete(name)
    }
    await log.ack(batch)
  }
  expect(log.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
  const missingEvents = [...left.values()].reduce((sum, { events }) => sum + events, 0)
  const lost = log.damaged().events
  const stored = [...promised.values()].reduce((sum, { events }) => sum + events, 0) - missingEvents
  expect(total, 'what was found at the start is stored or lost').toBe(stored + lost)
  await log.close()
  const kept = disk.paths().filter((path) => path.endsWith('.damaged')).length
  return { missing: [...left.values()], missingEvents, lost, problems, kept }
}

const segmentsOf = (disk: SimulatedDisk) =>
  disk
    .paths()
    .filter((path) => path.endsWith('.seg'))
    .sort()

/** The last that was written to; one after it may be prepared. */
const newestOf = (disk: SimulatedDisk) =>
  segmentsOf(disk).findLast((path) => disk.bytesOf(path).readUInt32LE(4096) !== 0)!

describe.each([
  ['after a clean stop', true],
  ['after a kill', false],
])('F3: damage %s', (_, close) => {
  it('a flipped bit anywhere costs at most its own frame, and exactly that is counted', async () => {
    const random = createRandom(close ? 31 : 32, 1)
    let harmful = 0
    for (let round = 0; round < 80; round++) {
      const disk = createSimulatedDisk()
      const promised = await fill(disk, round, close)
      const after = disk.afterKill()
      const path = random.pick(segmentsOf(after))
      // Labels, what was noted and sealed, headers and payloads alike.
      const at = random.chance(0.3) ? random.int(4096) : 4096 + random.int(SEGMENT_BYTES - 4096)
      after.damage(path, (bytes) => {
        bytes[at]! ^= 1 << random.int(8)
        return bytes
      })
      const { missing, missingEvents, lost, kept } = await recover(after, promised)
      const where = `round ${round}: bit at ${at} of ${path}`
      expect(missing.length, where).toBeLessThanOrEqual(1)
      expect(lost, where).toBe(missingEvents)
      if (missing.length > 0) {
        harmful++
        expect(kept, where).toBe(1)
      }
    }
    expect(harmful).toBeGreaterThan(10)
  })

  it('labels that are gone cost nothing, however much of the first block they take along', async () => {
    for (const end of [16, 600, 1100, 4096]) {
      const disk = createSimulatedDisk()
      const promised = await fill(disk, end, close)
      const after = disk.afterKill()
      for (const path of segmentsOf(after)) after.damage(path, (bytes) => bytes.fill(0x55, 0, end))
      const { missing, lost } = await recover(after, promised)
      expect([missing, lost]).toEqual([[], 0])
    }
  })

  it('a page that cannot be read or is overwritten costs the frames that reach into it, and all of them are counted', async () => {
    const random = createRandom(close ? 33 : 34, 1)
    let harmful = 0
    for (let round = 0; round < 80; round++) {
      const disk = createSimulatedDisk()
      const promised = await fill(disk, round, close)
      const after = disk.afterKill()
      const paths = segmentsOf(after)
      // Also in the newest, at the very start.
      const newest = newestOf(after)
      const path = random.chance(0.5) ? newest : random.pick(paths)
      const at = 4096 * random.int(SEGMENT_BYTES / 4096)
      const kind = random.pick(['unreadable', 'garbage'])
      if (kind === 'unreadable') after.makeUnreadable(path, at)
      else after.damage(path, (bytes) => bytes.fill(0xa7, at, at + 4096))
      const { missing, missingEvents, lost, kept } = await recover(after, promised)
      const where = `round ${round}: page at ${at} of ${path} ${kind}`
      // The first and the last may reach beyond the page.
      const within = missing.slice(1, -1).reduce((sum, { bytes }) => sum + bytes, 0)
      expect(within, where).toBeLessThanOrEqual(4096)
      // Sealed or followed by others, it is known exactly; of what was just written before a kill, that something is gone.
      if (close || path < newest) expect(lost, where).toBe(missingEvents)
      else if (missingEvents > 0) expect(lost, where).toBeGreaterThan(0)
      if (missing.length > 0) {
        harmful++
        expect(kept, where).toBe(1)
      }
    }
    expect(harmful).toBeGreaterThan(10)
  })
})

it('counts the end of a segment exactly once it was noted, though it was never sealed', async () => {
  const disk = createSimulatedDisk()
  const promised = await fill(disk, 5, false)
  await expect.poll(() => disk.bytesOf(newestOf(disk)).readUInt32LE(1024)).toBeGreaterThan(0)
  const after = disk.afterKill()
  const path = newestOf(after)
  const bytes = after.bytesOf(path)
  const end = bytes.findLastIndex((byte) => byte !== 0)
  for (const page of [end, end - 4096]) if (page > 4096) after.makeUnreadable(path, page)
  const { missingEvents, lost } = await recover(after, promised)
  expect(missingEvents).toBeGreaterThan(0)
  expect(lost).toBe(missingEvents)
})

it('a segment that cannot even be opened is kept aside, and the others are stored', async () => {
  const disk = createSimulatedDisk()
  const promised = await fill(disk, 6, true)
  const after = disk.afterKill()
  const gone = segmentsOf(after)[0]!
  const files: SimulatedDisk = {
    ...after,
    async open(path, mode) {
      if (path === gone) throw Object.assign(new Error('simulated EIO'), { code: 'EIO' })
      return after.open(path, mode)
    },
  }
  const problems: LogProblem[] = []
  const log = await open(files, 2, problems)
  expect(log.damaged()).toEqual({ frames: 1, events: 1 })
  let stored = 0
  for (let batch = await log.next(BOUNDS); batch; batch = await log.next(BOUNDS)) {
    stored += batch.frames.length
    await log.ack(batch)
  }
  expect(stored).toBeGreaterThan(10)
  expect(stored).toBeLessThan(promised.size)
  expect(after.paths()).toContain(`${gone}.damaged`)
  await log.close()
})

it('a checkpoint that cannot be read costs nothing', async () => {
  for (const page of [0, 64 * 1024]) {
    const disk = createSimulatedDisk()
    const promised = await fill(disk, 7, false)
    const after = disk.afterKill()
    after.makeUnreadable(`${FOLDER}/checkpoint`, page)
    expect(await recover(after, promised)).toMatchObject({ missing: [], lost: 0, problems: [] })
  }
})

it('nothing counts as lost that was stored before half of the checkpoint was', async () => {
  const disk = createSimulatedDisk()
  const promised = await fill(disk, 8, false)
  // A second owner stores all of it, and its last words are damaged.
  await recover(disk, promised)
  for (const half of [0, 64 * 1024]) {
    const after = disk.afterKill()
    after.damage(`${FOLDER}/checkpoint`, (bytes) => bytes.fill(1, half + 20, half + 30))
    const again = await open(after, 3)
    for (let batch = await again.next(BOUNDS); batch; batch = await again.next(BOUNDS)) await again.ack(batch)
    expect(again.damaged(), `half at ${half}`).toEqual({ frames: 0, events: 0 })
    expect(again.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
    await again.close()
  }
})

describe('a batch that was handed out before it was damaged', () => {
  it.each([true, false])(
    'comes as another one, so that what the store said of all of it is not taken for the rest (checkpoint: %s)',
    async (hasCheckpoint) => {
      const disk = createSimulatedDisk()
      const log = await open(disk, 1)
      for (const text of ['first', 'second', 'third', 'fourth'])
        await log.append({ receivedAt: 1, events: 2, payload: Buffer.from(text) })
      const whole = await log.next(BOUNDS)
      expect(whole?.events).toBe(8)

      const killed = disk.afterKill()
      if (!hasCheckpoint) await killed.remove(`${FOLDER}/checkpoint`)
      const [path] = segmentsOf(killed)
      killed.damage(path!, (bytes) => {
        bytes[bytes.indexOf('second')]! ^= 0xff
        return bytes
      })
      const ids = [whole!.id]
      for (let start = 0; start < 2; start++) {
        const next = await open(killed, 2 + start)
        const total = next.waiting().events + next.damaged().events
        const batch = await next.next(BOUNDS)
        expect(batch?.frames.map(({ payload }) => payload.toString())).toEqual(['first', 'third', 'fourth'])
        expect(batch?.events).toBe(6)
        expect(next.waiting().events + next.damaged().events).toBe(total)
        ids.push(batch!.id)
        await next.close()
      }
      expect(ids[1]).not.toBe(ids[0])
      expect(ids[2]).toBe(ids[1])
    },
  )
})
