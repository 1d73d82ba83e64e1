import { describe, expect, it } from 'vitest'
import { addMonths, firstKeptMonth, monthName, monthOf, monthStart } from './months.ts'

describe('months', () => {
  it('are those of the UTC calendar', () => {
    expect(monthOf(Date.UTC(2026, 10, 30, 23, 59, 59, 999))).toBe(202611)
    expect(monthOf(Date.UTC(2026, 11, 1))).toBe(202612)
    expect(monthStart(202612)).toBe(Date.UTC(2026, 11, 1))
    expect(monthName(202603)).toBe('2026-03')
  })

  it('go over the ends of years', () => {
    expect(addMonths(202611, 2)).toBe(202701)
    expect(addMonths(202611, -11)).toBe(202512)
    expect(addMonths(202601, -25)).toBe(202312)
    expect(addMonths(202612, 0)).toBe(202612)
  })

  it('are kept whole: the one that runs and so many before it', () => {
    const now = Date.UTC(2026, 10, 23)
    expect(firstKeptMonth(now, 0)).toBeNull()
    expect(firstKeptMonth(now, 1)).toBe(202610)
    expect(firstKeptMonth(now, 12)).toBe(202511)
    // No month has four digits, nor a sign: so many keep all there can be.
    expect(firstKeptMonth(now, 681)).toBe(197002)
    expect([682, 1200, 40_000].map((months) => firstKeptMonth(now, months))).toEqual([null, null, null])
  })
})
