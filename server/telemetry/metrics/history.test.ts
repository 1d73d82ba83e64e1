import { expect, it } from 'vitest'
import { createHistory } from './history.ts'
import { createMeasures } from './measures.ts'

it('remembers an hour by the minute and the last minute by the sample', () => {
  let at = Date.UTC(2026, 10, 23, 12, 0, 30)
  const counters = { received: 105, rejected: 5, stored: 90 }
  const measures = createMeasures()
  measures.questions.add(0.02)
  const history = createHistory({ counters, measures, now: () => at })
  expect(history.figures()).toMatchObject({ acceptedPerSecond: 0, minutes: [] })

  for (let second = 0; second < 90; second += 5) {
    at += 5000
    // One of them is refused, and none of those who were accepted.
    counters.received += 11
    counters.rejected += 1
    counters.stored += 5
    if (second === 60) measures.questions.add(0.02, 3)
    history.sample()
  }
  const figures = history.figures()
  expect(figures.acceptedPerSecond).toBeCloseTo(2)
  expect(figures.storedPerSecond).toBeCloseTo(1)
  expect(figures.minutes).toEqual([
    { at: Date.UTC(2026, 10, 23, 12, 0), accepted: 60, stored: 30 },
    { at: Date.UTC(2026, 10, 23, 12, 1), accepted: 120, stored: 60 },
  ])
  expect(figures.questions.reduce((sum, count) => sum + count)).toBe(3)

  for (let minute = 0; minute < 100; minute++) {
    at += 60_000
    history.sample()
  }
  expect(history.figures().minutes).toHaveLength(60)
  expect(history.figures().questions.reduce((sum, count) => sum + count)).toBe(0)

  at -= 3_600_000
  history.sample()
  expect(history.figures().minutes).toEqual([])
})
