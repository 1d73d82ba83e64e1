import { describe, expect, it } from 'vitest'
import { TELL_MS } from '../ingest/wal/told.ts'
import type { Wal } from '../ingest/wal/wal.ts'
import { freshnessOf } from './freshness.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const msAgo = (ms: number) => new Date(NOW - ms).toISOString()

function freshness(own: [events: number, oldestAt: number | null], others: [number, number | null] | null) {
  const log: Pick<Wal, 'waiting' | 'elsewhere'> = {
    waiting: () => ({ events: own[0], bytes: 1, oldestAt: own[1] }),
    elsewhere: () => others && { events: others[0], oldestAt: others[1] },
  }
  return freshnessOf(log, NOW)
}

describe('freshness', () => {
  it('is now when nothing waits anywhere', () => {
    expect(freshness([0, null], null)).toEqual({ completeTo: msAgo(0), waiting: 0 })
  })

  it('is just before the oldest event that waits, here or elsewhere', () => {
    expect(freshness([4, NOW - 500], null)).toEqual({ completeTo: msAgo(501), waiting: 4 })
    expect(freshness([4, NOW - 500], [3, NOW - 900])).toEqual({ completeTo: msAgo(901), waiting: 7 })
    expect(freshness([0, null], [3, NOW - 900])).toEqual({ completeTo: msAgo(901), waiting: 3 })
  })

  it('is as old as the news of others may be when they say that nothing waits', () => {
    expect(freshness([0, null], [0, null])).toEqual({ completeTo: msAgo(TELL_MS), waiting: 0 })
    expect(freshness([2, NOW - 1000], [0, null])).toEqual({ completeTo: msAgo(1001), waiting: 2 })
  })
})
