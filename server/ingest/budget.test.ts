import { expect, it } from 'vitest'
import { createBudget } from './budget.ts'

const KB = 1024

it('keeps a quarter for what is small, and has everything back when it is released', () => {
  const budget = createBudget(1000 * KB)
  const large = budget.hold()
  const other = budget.hold()
  large.resize(500 * KB)
  expect(() => other.resize(251 * KB)).toThrow('large bodies')
  expect(budget.heldBytes).toBe(500 * KB)
  other.resize(250 * KB)
  const small = Array.from({ length: 5 }, () => budget.hold())
  for (const holding of small.slice(0, 4)) holding.resize(60 * KB)
  expect(() => small[4]!.resize(60 * KB)).toThrow('large bodies')
  // What shrinks always may.
  large.resize(400 * KB)
  small[4]!.resize(60 * KB)
  for (const holding of [large, large, other, ...small]) holding.release()
  expect(budget.heldBytes).toBe(0)
})
