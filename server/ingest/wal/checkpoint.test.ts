import { expect, it } from 'vitest'
import { type CheckpointState, openCheckpoint } from './checkpoint.ts'
import { createSimulatedDisk } from './simulated-disk.ts'

const FOLDER = '/wal/0'
const PATH = `${FOLDER}/checkpoint`
const at = (offset: number): CheckpointState => ({ cursor: { epoch: 1, seq: 0, offset }, open: [] })

it('keeps the last state that was saved while one after a failed save is torn by a power cut', async () => {
  const disk = createSimulatedDisk()
  await disk.makeFolder(FOLDER)
  const checkpoint = await openCheckpoint(disk, FOLDER)
  for (const offset of [1, 2, 3]) await checkpoint.save(at(offset))
  disk.failNext('write', 'EIO')
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
