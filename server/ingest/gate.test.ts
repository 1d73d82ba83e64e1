import { expect, it } from 'vitest'
import { createGate } from './gate.ts'

it('lets so many in at once, the others in their order, and none beyond those that may wait', async () => {
  const gate = createGate(2, 2)
  const leave = [await gate.enter(), await gate.enter()]
  const came: number[] = []
  const waiting = [1, 2].map((number) =>
    gate.enter().then((leaveLater) => {
      came.push(number)
      return leaveLater
    }),
  )
  await expect(gate.enter()).rejects.toMatchObject({ status: 429 })
  expect(came).toEqual([])
  leave[0]!()
  // Twice is once.
  leave[0]!()
  await waiting[0]
  expect(came).toEqual([1])
  leave[1]!()
  for (const leaveLater of await Promise.all(waiting)) leaveLater()
  expect(came).toEqual([1, 2])
  await gate.enter()
})
