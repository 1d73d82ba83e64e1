import { expect, it } from 'vitest'
import { createFairQueue } from './fair-queue.ts'

function all(queue: { shift(): string | undefined }): string[] {
  const items: string[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item)
  return items
}

it('gives one of each lane after another, each lane in its order', () => {
  const queue = createFairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(item[0], item)
  expect(queue.size).toBe(6)
  expect(all(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  expect(queue.size).toBe(0)
})

it('lets the last of the longest lane give way, to a shorter one alone', () => {
  const queue = createFairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1']) queue.push(item[0], item)
  expect(queue.giveWay('a')).toBeUndefined()
  expect(queue.giveWay('b')).toBe('a3')
  // With one more, b would wait for as much as a does.
  expect(queue.giveWay('b')).toBeUndefined()
  expect(queue.giveWay('c')).toBe('a2')
  expect(queue.giveWay('c')).toBeUndefined()
  expect(all(queue)).toEqual(['a1', 'b1'])
})
