import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createBoard, type ProcessFigures } from './board.ts'

const figures = (at: number, pid: number) => ({ at, pid }) as ProcessFigures

it('shows every process that told lately, and is gone with its own', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'veritas-board-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const folder = join(dir, 'processes')
  const board = createBoard({ dir: folder, own: () => figures(1_000_000, process.pid), now: () => 1_000_000 })
  await expect.poll(async () => readdir(folder).catch(() => [])).toHaveLength(1)
  await writeFile(join(folder, 'b.json'), JSON.stringify({ form: 4, ...figures(995_000, 2) }))
  // Of a release whose figures are others.
  await writeFile(join(folder, 'before.json'), JSON.stringify({ ...figures(995_000, 5) }))
  await writeFile(join(folder, 'stopped.json'), JSON.stringify({ form: 4, ...figures(980_000, 3) }))
  await writeFile(join(folder, 'long-gone.json'), JSON.stringify(figures(1, 4)))
  await writeFile(join(folder, 'broken.json'), '{')
  expect((await board.read()).map(({ pid }) => pid)).toEqual([process.pid, 2])
  expect((await readdir(folder)).sort()).not.toContain('long-gone.json')
  await board.close()
  expect((await readdir(folder)).sort()).toEqual(['b.json', 'before.json', 'broken.json', 'stopped.json'])
})
