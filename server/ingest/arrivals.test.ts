import { expect, it } from 'vitest'
import { eventSeq } from '../store/store.ts'
import { createArrivals } from './arrivals.ts'

it('puts requests of one millisecond one after the other, and those that come after the clock was set back', () => {
  const take = createArrivals()
  const now = Date.UTC(2026, 10, 22)
  const places = [
    take(now, 3),
    take(now, 1),
    take(now, 5000),
    take(now + 1, 1),
    take(now - 60_000, 2),
    take(now + 9, 1),
  ]
  expect(places[0]).toBe(eventSeq(now, 0))
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(new Set(places).size).toBe(places.length)
  expect(places[3]).toBeGreaterThanOrEqual(places[2]! + 5000)
  expect(places[5]).toBe(eventSeq(now + 9, 0))
})
