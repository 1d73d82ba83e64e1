import { expect, it } from 'vitest'
import { createRandom } from '../../demo/random.ts'
import { type CheckpointState, openCheckpoint } from './checkpoint.ts'
import type { LogFiles } from './files.ts'
import { createSimulatedDisk, type SimulatedDisk } from './simulated-disk.ts'

const FOLDER = '/wal/0'
const PATH = `${FOLDER}/checkpoint`
const at = (offset: number): CheckpointState => ({ cursor: { epoch: 1, seq: 0, offset }, open: [] })

it('keeps the last state that was saved while one after a failed save is torn by a power cut', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const checkpoint = await openCheckpoint(disk, FOLDER)
  for (const offset of [1, 2, 3]) await checkpoint.save(at(offset))
  disk.failNext('write', 'EIO', 2)
  await expect(checkpoint.save(at(4))).rejects.toMatchObject({ code: 'EIO' })

  const bytes = () => {
    let copy = Buffer.alloc(0)
    disk.damage(PATH, (content) => {
      copy = Buffer.from(content)
      return content
    })
    return copy
  }
  const before = bytes()
  await checkpoint.save(at(5))
  const after = bytes()
  const written = before.findIndex((byte, index) => byte !== after[index])
  expect(written).toBeGreaterThanOrEqual(0)

  const cut = disk.afterKill()
  cut.damage(PATH, (content) => {
    content[written]! ^= 0xff
    return content
  })
  expect((await openCheckpoint(cut, FOLDER)).state).toEqual(at(3))
})

/** A place of the disk that takes no writes: those to this file, for as long as it is this file. */
function badSector(disk: SimulatedDisk, operation: 'write' | 'sync'): LogFiles {
  let isFirst = true
  return {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode)
      if (!path.startsWith(PATH) || !isFirst) return file
      isFirst = false
      let writes = 0
      const fail = async () => {
        throw Object.assign(new Error('simulated EIO'), { code: 'EIO' })
      }
      return {
        ...file,
        // But for the zeros that it is made of.
        write: (bytes, position) => (operation === 'write' && writes++ > 0 ? fail() : file.write(bytes, position)),
        sync: () => (operation === 'sync' && writes++ > 0 ? fail() : file.sync()),
      }
    },
  }
}

it.each(['write', 'sync'] as const)(
  'goes on in a file of its own where the disk takes no %s any more',
  async (operation) => {
    for (let cut = 0; cut < 20; cut++) {
      const disk = createSimulatedDisk()
      await disk.makeFolder('/wal')
      await disk.makeFolder(FOLDER)
      await disk.syncFolder('/wal')
      const checkpoint = await openCheckpoint(badSector(disk, operation), FOLDER)
      for (const offset of [1, 2, 3]) await checkpoint.save(at(offset))
      const random = createRandom(cut, 1)
      const after = disk.afterPowerLoss(() => random.next())
      expect((await openCheckpoint(after, FOLDER)).state, `cut ${cut}`).toEqual(at(3))
      expect(disk.paths()).toEqual([PATH])
    }
  },
)

it('survives a power cut at every step of the way to a file of its own', async () => {
  for (let stop = 0, isOver = false; !isOver; stop++) {
    const disk = createSimulatedDisk()
    await disk.makeFolder('/wal')
    await disk.makeFolder(FOLDER)
    await disk.syncFolder('/wal')
    const checkpoint = await openCheckpoint(badSector(disk, 'sync'), FOLDER)
    let saved = 0
    disk.stopAt(disk.operations + stop, stop % 2 === 0 ? 'before' : 'after')
    const saving = (async () => {
      for (const offset of [1, 2, 3]) {
        await checkpoint.save(at(offset))
        saved = offset
      }
      isOver = true
    })()
    await Promise.race([saving, disk.stopped])
    for (let cut = 0; cut < 8; cut++) {
      const random = createRandom(cut, stop)
      const { state } = await openCheckpoint(
        disk.afterPowerLoss(() => random.next()),
        FOLDER,
      )
      const found = state?.cursor.offset ?? 0
      expect([saved, saved + 1], `stopped at ${stop}, cut ${cut}`).toContain(found)
    }
  }
})
