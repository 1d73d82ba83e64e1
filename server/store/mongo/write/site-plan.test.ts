import { afterEach, expect, it, vi } from 'vitest'
import { currencyCodes } from '../../../../trpc/schema/currencies.ts'
import { sampleEvent } from '../../sample-events.ts'
import { planSite } from './site-plan.ts'
import { SiteSummary } from './summary.ts'

const codes = currencyCodes()
const ORDERS = 2000

function summaryOf(currencies: number): SiteSummary {
  const summary = new SiteSummary()
  for (let order = 0; order < ORDERS; order++) {
    const purchase = { orderId: `order-${order}`, currency: codes[order % currencies]!, gross: 100 }
    summary.add(sampleEvent({ siteId: 'shop', eventId: `event-${order}`, userId: 'u', sessionId: 's' }), 'UTC', {
      purchase,
    })
  }
  return summary
}

function plan(summary: SiteSummary) {
  const known = { find: async () => new Map() } as unknown as Parameters<typeof planSite>[0]
  return planSite(known, 1, { siteId: 'shop', zone: 'UTC' }, summary)
}

afterEach(() => void vi.restoreAllMocks())

it('adds an order at the same cost whatever the currencies of those before it', async () => {
  const summary = summaryOf(codes.length)
  const sums = vi.spyOn(globalThis, 'BigInt')
  const rows = await plan(summary)
  // One for its gross in the user, the session and the day each, and those of the sums.
  expect(sums.mock.calls.length).toBeLessThan(4 * ORDERS + 10 * codes.length)
  sums.mockRestore()
  for (const name of ['users', 'sessions', 'days']) {
    const { row } = rows.find(({ into }) => into === name) as { row: { orders: number; money: unknown[] } }
    expect(row).toMatchObject({ orders: ORDERS })
    expect(row.money).toHaveLength(codes.length)
  }
})

it('lets others have a turn between the orders of one user', async () => {
  const summary = summaryOf(1)
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => ++now)
  let turns = 0
  let isDone = false
  const others = () => {
    turns += 1
    if (!isDone) setImmediate(others)
  }
  setImmediate(others)
  await plan(summary)
  isDone = true
  // Three loops over all orders, each of which looks at the clock for every order and works for 8 ms of it.
  expect(turns).toBeGreaterThan((2.5 * ORDERS) / 8)
})
