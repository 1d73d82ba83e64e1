import { describe, expect, it } from 'vitest'
import { addDays } from '../analysis/zones.ts'
import { daysDue, lastClosedDay, lastDueAt } from './days.ts'

const TEN = 10 * 60
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

describe('days that are due', () => {
  it('fall due at the moment, not before', () => {
    const ten = Date.UTC(2026, 10, 23, 10)
    expect(lastDueAt(ten, TEN)).toBe(ten)
    expect(lastDueAt(ten - 1, TEN)).toBe(ten - DAY_MS)
    expect(lastClosedDay('Europe/Berlin', ten, TEN)).toBe('2026-11-22')
    expect(lastClosedDay('Europe/Berlin', ten - 1, TEN)).toBe('2026-11-21')
  })

  it('are those that had ended in the zone by then', () => {
    const ten = Date.UTC(2026, 10, 23, 10)
    expect(lastClosedDay('Pacific/Kiritimati', ten, TEN)).toBe('2026-11-23')
    expect(lastClosedDay('Pacific/Kiritimati', ten, TEN - 1)).toBe('2026-11-22')
    expect(lastClosedDay('America/Los_Angeles', ten, TEN)).toBe('2026-11-22')
    expect(lastClosedDay('Pacific/Pago_Pago', ten, TEN)).toBe('2026-11-21')
  })

  // At 22:30 UTC it is half past midnight in Berlin in summer and half past eleven in winter.
  it.each(['Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu'])(
    'are every day of two years once, in order, whatever the clocks of %s do',
    (zone) => {
      for (const due of [TEN, 22 * 60 + 30, 3 * 60 + 30]) {
        let done = lastClosedDay(zone, Date.UTC(2025, 0, 1), due)
        const first = done
        const all: string[] = []
        for (let now = Date.UTC(2025, 0, 1); now < Date.UTC(2027, 0, 1); now += 30 * MINUTE_MS) {
          const { days } = daysDue(done, lastClosedDay(zone, now, due), 7)
          all.push(...days)
          done = days.at(-1) ?? done
        }
        expect(all).toEqual(Array.from({ length: all.length }, (_, n) => addDays(first, n + 1)))
        expect(all.length).toBeGreaterThanOrEqual(729)
      }
    },
  )

  it('that were missed are caught up from the oldest, as far back as is wanted', () => {
    expect(daysDue('2026-11-19', '2026-11-22', 7)).toEqual({
      days: ['2026-11-20', '2026-11-21', '2026-11-22'],
      givenUp: 0,
    })
    expect(daysDue('2026-11-19', '2026-11-22', 2)).toEqual({ days: ['2026-11-21', '2026-11-22'], givenUp: 1 })
    expect(daysDue('2026-11-22', '2026-11-22', 2)).toEqual({ days: [], givenUp: 0 })
    // The clock was set back.
    expect(daysDue('2026-11-25', '2026-11-22', 2)).toEqual({ days: [], givenUp: 0 })
  })
})
