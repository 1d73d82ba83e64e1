import { expect, it } from 'vitest'
import { createTries } from './tries.ts'

const MINUTE_MS = 60_000

function setUp(maxCounted?: number) {
  const clock = { now: 0 }
  const tries = createTries({ now: () => clock.now, ...(maxCounted !== undefined && { maxCounted }) })
  const left = (email: string, address: string) => {
    try {
      return tries.take(email, address)
    } catch (error) {
      return (error as { status: number }).status
    }
  }
  return { tries, clock, left }
}

it('gives a person five tries in a quarter of an hour', () => {
  const { clock, left } = setUp()
  expect(Array.from({ length: 6 }, () => left('a', '1'))).toEqual([4, 3, 2, 1, 0, 429])
  expect(left('a', '2')).toBe(4)
  clock.now += 15 * MINUTE_MS
  expect(left('a', '1')).toBe(4)
})

it('counts all addresses of a network of IPv6 as one', () => {
  const { left } = setUp()
  for (let count = 0; count < 50; count++) left(`${count}`, `2001:db8::1:${count.toString(16)}`)
  expect(left('other', '2001:db8:0:0:ffff::1')).toBe(429)
  expect(left('other', '2001:db8:0:1::1')).toBe(4)
})

it('gives back what could not be tried, and no more', () => {
  const { tries, left } = setUp()
  for (let count = 0; count < 5; count++) left('a', '1')
  tries.giveBack('a', '1')
  expect([left('a', '1'), left('a', '1')]).toEqual([0, 429])
})

it('forgets nobody who tried much for those who come once, however many they are', () => {
  const { left } = setUp(100)
  for (let count = 0; count < 5; count++) left('victim', '1')
  for (let count = 0; count < 1000; count++) left(`${count}`, `10.0.${count >> 8}.${count & 255}`)
  expect(left('victim', '1')).toBe(429)
})
