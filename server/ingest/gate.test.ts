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

it('lets nobody wait behind what another sends, and turns away who sends most', async () => {
  const gate = createGate(1, 3)
  const leave = await gate.enter('flood')
  const order: string[] = []
  const enter = (lane: string, name: string) =>
    gate.enter(lane).then(
      (leaveLater) => {
        order.push(name)
        leaveLater()
      },
      (error: { status: number }) => order.push(`${name} ${error.status}`),
    )
  const all = [enter('flood', 'first'), enter('flood', 'second'), enter('flood', 'third')]
  all.push(enter('shop', 'shop'), enter('flood', 'fourth'))
  await Promise.all([all[2], all[4]])
  expect([...order].sort()).toEqual(['fourth 429', 'third 429'])
  leave()
  await Promise.all(all)
  expect(order.slice(2)).toEqual(['first', 'shop', 'second'])
})
