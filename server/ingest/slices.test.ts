import { expect, it } from 'vitest'
import { createSlices } from './slices.ts'

/** A loop whose turns and clock are moved by hand. */
function handTurned(sliceMs: number) {
  const loop = { at: 0, next: [] as (() => void)[] }
  const done: string[] = []
  const slices = createSlices(sliceMs, { now: () => loop.at, nextTurn: (work) => loop.next.push(work) })
  return {
    done,
    slices,
    /** Work that takes so many ms. */
    work: (name: string, ms: number) => () => {
      loop.at += ms
      done.push(name)
      return name
    },
    turn() {
      for (const work of loop.next.splice(0)) work()
      return done.splice(0)
    },
  }
}

it('works at once as long as a turn has time left, and in the next turns on what is left', async () => {
  const { slices, work, turn, done } = handTurned(2)
  const results = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => slices.run('one', work(name, 1)))
  expect(done.splice(0)).toEqual(['a', 'b'])
  expect(results.slice(0, 2)).toEqual(['a', 'b'])
  expect(turn()).toEqual(['c', 'd'])
  expect(turn()).toEqual(['e', 'f'])
  expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  // All of the share is there again, and nothing turns for nothing.
  expect(turn()).toEqual([])
  expect(slices.run('one', work('g', 1))).toBe('g')
})

it('lets nobody wait behind what another sends', () => {
  const { slices, work, turn } = handTurned(2)
  for (const name of ['f1', 'f2', 'f3', 'f4']) void slices.run('flood', work(name, 2))
  void slices.run('shop', work('s1', 1))
  expect(turn()).toEqual(['f1', 'f2'])
  expect(turn()).toEqual(['s1', 'f3'])
  expect(turn()).toEqual(['f4'])
})

it('hands on what the work throws, also later', async () => {
  const { slices, work, turn } = handTurned(1)
  const fail = () => {
    throw new Error('no')
  }
  expect(() => slices.run('one', fail)).toThrow('no')
  void slices.run('one', work('a', 1))
  const later = Promise.resolve(slices.run('one', fail))
  turn()
  await expect(later).rejects.toThrow('no')
})

it('goes on in the next turns with work in steps that is not done, and lets others in between', async () => {
  const { slices, work, turn, done } = handTurned(2)
  function* steps(name: string) {
    for (let step = 1; step <= 5; step++) {
      work(`${name}${step}`, 1)()
      yield
    }
    return name
  }
  const long = slices.runSteps('flood', steps('f'))
  expect(done.splice(0)).toEqual(['f1', 'f2'])
  const short = slices.run('shop', work('s', 1))
  // What is left of it is asked for behind the other.
  await new Promise((resolve) => setImmediate(resolve))
  for (const expected of [['s', 'f3'], ['f4', 'f5'], []]) {
    expect(turn()).toEqual(expected)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect([await long, await short]).toEqual(['f', 's'])
})
