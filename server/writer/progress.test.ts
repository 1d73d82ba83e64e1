import { describe, expect, it } from 'vitest'
import { createProgress } from './progress.ts'

describe('progress', () => {
  it('is in trouble while something fails again and again, until it succeeds', () => {
    const progress = createProgress(() => 0)
    const store = progress.begin('store')
    store.failed()
    store.failed()
    expect(progress.troubles(0)).toEqual([])
    store.failed()
    progress.begin('store').failed()
    expect(progress.troubles(0)).toEqual([expect.stringContaining('store does not take events')])
    store.ended()
    expect(progress.troubles(0)).toEqual([])
  })

  it('is in trouble when events wait and nothing is stored, but not while a backlog is', () => {
    let now = 1_000_000
    const progress = createProgress(() => now)
    now += 40_000
    expect(progress.troubles(null)).toEqual([])
    expect(progress.troubles(now - 5000)).toEqual([])
    expect(progress.troubles(1_000_000)).toEqual([expect.stringContaining('Nothing was stored')])
    progress.stored()
    now += 20_000
    expect(progress.troubles(1_000_000)).toEqual([])
    now += 20_000
    expect(progress.troubles(1_000_000)).toHaveLength(1)
  })
})
