import { expect, it } from 'vitest'
import { createKeptSince } from './kept-since.ts'

const NOW = Date.UTC(2026, 10, 23)
const day = (instant: number) => new Date(instant).toISOString().slice(0, 10)

it('is what the setting says, or what the store keeps where that is less', async () => {
  const of = async (months: number, month: number | null) => {
    const kept = await createKeptSince({ months, keptFrom: async () => month })
    kept.close()
    return day(kept.at(NOW))
  }
  expect(await of(0, null)).toBe('1970-01-01')
  expect(await of(2, null)).toBe('2026-09-01')
  expect(await of(0, 202610)).toBe('2026-10-01')
  expect(await of(2, 202610)).toBe('2026-10-01')
  expect(await of(2, 202601)).toBe('2026-09-01')
})

it('learns of months that are dropped meanwhile, and forgets none while the store is away', async () => {
  let answer: Promise<number | null> = Promise.resolve(null)
  const kept = await createKeptSince({ months: 0, keptFrom: () => answer, everyMs: 1 })
  answer = Promise.resolve(202609)
  await expect.poll(() => day(kept.at(NOW))).toBe('2026-09-01')
  let asked = 0
  answer = Promise.reject(new Error('away'))
  answer.catch(() => asked++)
  await expect.poll(() => asked).toBeGreaterThan(0)
  expect(day(kept.at(NOW))).toBe('2026-09-01')
  kept.close()
})
