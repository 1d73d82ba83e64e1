import { describe, expect, it } from 'vitest'
import { calendarOf } from './calendar.ts'
import { Comparison, csvCells } from './compare.ts'
import { type KeptEvent, Oracle, smallestUnits } from './figures.ts'
import { drawShop } from './random-posts.ts'

describe('amounts', () => {
  it.each([
    ['19.99', 'EUR', 1999n],
    ['1.005', 'EUR', 101n],
    ['1.004', 'EUR', 100n],
    ['0.5', 'JPY', 1n],
    ['7', 'KWD', 7000n],
    ['0.00005', 'CLF', 1n],
  ] as const)('%s %s', (amount, currency, units) => {
    expect(smallestUnits(amount, currency)).toBe(units)
  })
})

describe('hours by the clock on the wall', () => {
  const hour = (zone: string, instant: string) => new Date(calendarOf(zone).hour(Date.parse(instant))).toISOString()

  it('are two where the clocks go back', () => {
    expect(hour('Europe/Berlin', '2026-10-25T00:40:00Z')).toBe('2026-10-25T00:00:00.000Z')
    expect(hour('Europe/Berlin', '2026-10-25T01:40:00Z')).toBe('2026-10-25T01:00:00.000Z')
  })

  it('begin where the clock begins to show them', () => {
    expect(hour('Australia/Lord_Howe', '2025-10-04T15:45:00Z')).toBe('2025-10-04T15:30:00.000Z')
    expect(hour('Pacific/Chatham', '2025-09-27T14:05:00Z')).toBe('2025-09-27T14:00:00.000Z')
  })
})

describe('orders', () => {
  const event = (arrival: number, at: number, verified: boolean, gross: bigint): KeptEvent => ({
    eventId: `e${arrival}`,
    userId: 'u',
    sessionId: 's',
    type: 'purchase',
    payload: {},
    occurredAt: new Date(at).toISOString(),
    at,
    ...{ arrival, verified },
    order: { orderId: 'A', currency: 'EUR', gross, verified },
    fault: null,
  })

  it('are worth what the first received of the highest trust says', () => {
    const claimed = event(0, 100, false, 1n)
    const verified = event(1, 200, true, 20n)
    const later = event(2, 50, true, 300n)
    expect(new Oracle([claimed, verified, later], calendarOf('UTC')).orders.get('A')).toBe(verified)
    expect(new Oracle([claimed], calendarOf('UTC')).orders.get('A')).toBe(claimed)
  })
})

describe('the comparison', () => {
  it('finds a part that differs, one that is missing and one too many, and counts each', () => {
    const comparison = new Comparison()
    comparison.equal('x', { a: 1, list: [{ b: 2 }, { b: 3 }] }, { a: 1, list: [{ b: 2 }, { b: 4 }] })
    comparison.equal('y', { list: [1, 2] }, { list: [1] })
    comparison.equal('z', null, { a: 0 })
    expect(comparison.differences).toEqual([
      'x.list[1].b: 3, not 4',
      'y.list: how many: 2, not 1',
      'z.a: undefined, not 0',
    ])
    expect(comparison.compared).toBe(7)
  })

  it('reads cells with commas, quotes and lines in them', () => {
    expect(csvCells('\ufeffa,"b ""c"",\r\nd",\r\n1,2,3\r\n')).toEqual([
      ['a', 'b "c",\r\nd', ''],
      ['1', '2', '3'],
    ])
  })
})

it('a seed always draws the same shop, another seed another', () => {
  const now = Date.UTC(2026, 10, 30)
  expect(drawShop(7, now)).toEqual(drawShop(7, now))
  expect(drawShop(8, now)).not.toEqual(drawShop(7, now))
})
