import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRefusals } from './refusals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Asks for so many turns of a lane; `answered` has the lane of each that came, and `ended` of those whose connection ends with it. */
function setUp(perSecond: number, maxWaiting = 2000) {
  const refusals = createRefusals({ perSecond, maxWaiting })
  const answered: string[] = []
  const ended: string[] = []
  return {
    refusals,
    answered,
    ended,
    async refuse(lane: string, count: number) {
      for (let n = 0; n < count; n++) {
        const turn = refusals.turn(lane)
        if (turn === true) answered.push(lane)
        else void turn.then((isOneOfFew) => (isOneOfFew ? answered : ended).push(lane))
      }
      await vi.advanceTimersByTimeAsync(0)
    },
  }
}

it('answers so many at once, and of more so many a second, in the order they came', async () => {
  const { refuse, answered } = setUp(100)
  await refuse('a', 250)
  expect(answered).toHaveLength(100)
  await vi.advanceTimersByTimeAsync(500)
  expect(answered).toHaveLength(150)
  await vi.advanceTimersByTimeAsync(1000)
  expect(answered).toHaveLength(250)
  await vi.advanceTimersByTimeAsync(60_000)
  await refuse('a', 101)
  expect(answered).toHaveLength(350)
})

it('lets nobody wait behind all that another sent', async () => {
  const { refuse, answered } = setUp(100)
  await refuse('many', 600)
  await refuse('few', 2)
  await vi.advanceTimersByTimeAsync(50)
  expect(answered.filter((lane) => lane === 'few')).toHaveLength(2)
})

it('answers those that are too many to wait at once, and ends their connections', async () => {
  const { refuse, answered, ended } = setUp(1, 20)
  await refuse('many', 21)
  expect(ended).toEqual([])
  await refuse('many', 1)
  expect(ended).toEqual(['many'])
  await refuse('few', 1)
  expect(ended).toEqual(['many', 'many'])
  await vi.advanceTimersByTimeAsync(2000)
  expect(answered).toContain('few')
})

it('lets nobody wait for a process that ends', async () => {
  const { refuse, answered, refusals } = setUp(1)
  await refuse('a', 10)
  expect(answered).toHaveLength(1)
  refusals.close()
  await vi.advanceTimersByTimeAsync(0)
  await refuse('a', 1)
  expect(answered).toHaveLength(11)
  expect(vi.getTimerCount()).toBe(0)
})
