import { describe, expect, it } from 'vitest'
import { createSharing } from './sharing.ts'
import type { OverviewRow, UntilRow } from './store.ts'

const none = { users: 0, sessions: 0, orderingSessions: 0, orders: 0, money: [], aside: [], types: [], days: [] }
const query = { siteId: 'shop', from: '2026-11-22', to: '2026-11-22', until: 1000 }

/** A store of one figure, whose counts end when they are told to. */
function counting(clock?: () => number) {
  const state = { events: 1, begun: 0, day: 1 }
  const open: ((error?: Error) => void)[] = []
  const share = createSharing(
    async () => ({ ...none, events: state.events }) satisfies OverviewRow,
    () => {
      state.begun += 1
      const { events } = state
      const days = [{ day: query.to, ...none, events: state.day }]
      return new Promise((resolve, reject) => {
        open.push((error) =>
          error ? reject(error) : resolve({ ...none, days, events, lastHour: 0 } satisfies UntilRow),
        )
      })
    },
    clock,
  )
  const begun = (count: number) => expect.poll(() => state.begun).toBe(count)
  /** Ends the count that is being made. */
  const end = async (error?: Error) => {
    await expect.poll(() => open.length).toBeGreaterThan(0)
    open.shift()!(error)
  }
  return { state, share, begun, end }
}

describe('what is counted', () => {
  it('is shared by all who ask meanwhile, and kept until it changes', async () => {
    const { state, share, end } = counting()
    const asked = Promise.all([share(query), share(query), share(query)])
    await end()
    expect(await asked).toMatchObject([{ events: 1 }, { events: 1 }, { events: 1 }])
    expect(await share(query)).toMatchObject({ events: 1 })
    expect(state.begun).toBe(1)
    state.events = 2
    const again = share(query)
    await end()
    expect(await again).toMatchObject({ events: 2 })
    expect(state.begun).toBe(2)
  })

  it('has what was stored before it was asked for, though a count was on its way', async () => {
    const { state, share, begun, end } = counting()
    const first = share(query)
    await begun(1)
    state.events = 2
    const second = share(query)
    await end()
    await end()
    expect(await first).toMatchObject({ events: 1 })
    expect(await second).toMatchObject({ events: 2 })
  })

  it('is one thing at a time, and refused when many wait', async () => {
    const { state, share, begun, end } = counting()
    const asked = Array.from({ length: 17 }, (_, minute) => share({ ...query, until: minute }))
    expect(await asked[16]).toEqual({ missing: 'busy' })
    await begun(1)
    for (let n = 0; n < 16; n++) await end()
    expect(await Promise.all(asked.slice(0, 16))).toHaveLength(16)
    expect(state.begun).toBe(16)
  })

  it('rests where it is large, however often late events change it', async () => {
    let now = 0
    const { state, share, begun, end } = counting(() => now)
    state.day = 100_000
    const first = share(query)
    await begun(1)
    now = 600
    await end()
    await first
    state.events = 2
    expect(await share(query)).toMatchObject({ events: 1 })
    now = 600 + 6000
    const later = share(query)
    await end()
    expect(await later).toMatchObject({ events: 2 })
  })

  it('is tried again after a failure, which stops nobody', async () => {
    const { share, end } = counting()
    const failed = share(query)
    const other = share({ ...query, until: 2000 })
    failed.catch(() => undefined)
    await end(new Error('away'))
    await end()
    await expect(failed).rejects.toThrow('away')
    expect(await other).toMatchObject({ events: 1 })
    const again = share(query)
    await end()
    expect(await again).toMatchObject({ events: 1 })
  })
})
