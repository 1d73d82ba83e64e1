import { expect, it } from 'vitest'
import { eventSeq } from '../store/store.ts'
import { createArrivals } from './arrivals.ts'

const now = Date.UTC(2026, 10, 22)

it('puts requests of one millisecond one after the other, and those that come after the clock was set back', () => {
  const take = createArrivals(null)
  const places = [
    take(now, 3),
    take(now, 1),
    take(now, 5000),
    take(now + 1, 1),
    take(now - 60_000, 2),
    take(now + 9, 1),
  ].map(({ seq }) => seq)
  expect(places[0]).toBe(eventSeq(now, 0))
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(new Set(places).size).toBe(places.length)
  expect(places[3]).toBeGreaterThanOrEqual(places[2]! + 5000)
  expect(places[5]).toBe(eventSeq(now + 9, 0))
})

it('goes on behind all places of before, though the clock was set back over a restart', () => {
  const before = createArrivals(null)
  before(now, 5000)
  const last = before(now - 60_000, 20_000)
  const after = createArrivals(last.arrivedAt)
  const first = after(now - 3_600_000, 2)
  expect(first.seq).toBeGreaterThanOrEqual(last.seq + 20_000)
  expect(after(now - 3_600_000, 1).seq).toBe(first.seq + 2)
  // A clock that goes right is followed at once.
  expect(createArrivals(last.arrivedAt)(now + 10, 1).seq).toBe(eventSeq(now + 10, 0))
})

it('forgets a clock that was so far ahead that there are no places behind it', () => {
  expect(createArrivals(Date.UTC(2090, 0, 1))(now, 1).seq).toBe(eventSeq(now, 0))
})
