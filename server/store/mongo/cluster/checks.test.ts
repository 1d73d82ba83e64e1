import { describe, expect, it } from 'vitest'
import {
  checkClock,
  checkFolds,
  checkIndexes,
  checkShards,
  checkSize,
  checkTopology,
  checkVersion,
  checkWriteConcern,
} from './checks.ts'

describe('checks of a deployment', () => {
  it('tell standalone servers, replica sets and clusters apart', () => {
    expect(checkTopology({ isWritablePrimary: true })).toMatchObject({
      state: 'look',
      text: expect.stringMatching(/standalone/),
    })
    const set = { setName: 'rs0', isWritablePrimary: true }
    expect(checkTopology({ ...set, hosts: ['a'] }).text).toMatch(/rs0 of one member/)
    expect(checkTopology({ ...set, hosts: ['a', 'b', 'c'] })).toMatchObject({ state: 'good' })
    expect(checkTopology({ ...set, hosts: ['a'], isWritablePrimary: false })).toMatchObject({ state: 'bad' })
    expect(checkTopology({ msg: 'isdbgrid' }).text).toMatch(/sharded/)
  })

  it('look at version, write concern, clock and size', () => {
    expect(checkVersion({ version: '8.0.4' }).state).toBe('good')
    expect(checkVersion({ version: '4.4.1' }).state).toBe('look')
    expect(checkWriteConcern(null).text).toMatch(/majority/)
    expect(checkWriteConcern({ defaultWriteConcern: { w: 1 } }).text).toMatch(/default \{"w":1\}/)
    expect(checkClock(1000, 1005, 1010)).toMatchObject({ state: 'good', text: 'as ours' })
    expect(checkClock(10_000, 3000, 10_010)).toMatchObject({ state: 'look', text: '7000 ms behind ours' })
    expect(checkClock(1000, 7010, 1010)).toMatchObject({ state: 'look', text: '6000 ms ahead of ours' })
    expect(checkSize({ objects: 1234, dataSize: 5e6, storageSize: 2e6, indexSize: 1e6 }).text).toMatch(
      /^1,234 documents, 5 MB/,
    )
  })

  it('name what is missing or behind', () => {
    expect(checkIndexes([]).state).toBe('good')
    expect(checkIndexes(['users {"a":1}'])).toMatchObject({
      state: 'bad',
      text: expect.stringMatching(/users \{"a":1\}.*init/),
    })
    const head = { phase: 'idle', applied: 7 }
    expect(checkFolds(head, { batches: 0, oldestAt: null }, 1e6)).toMatchObject({ state: 'good' })
    expect(checkFolds(head, { batches: 2, oldestAt: 1e6 - 3000 }, 1e6).state).toBe('good')
    expect(checkFolds(head, { batches: 2, oldestAt: 1e6 - 90_000 }, 1e6)).toMatchObject({
      state: 'look',
      text: expect.stringMatching(/90 s/),
    })
  })

  it('warn of the next month, and fail for what should be spread already', () => {
    const now = Date.UTC(2026, 10, 23)
    const wanted = ['users', 'events_202611', 'events_202612']
    expect(checkShards(wanted, new Set(wanted), now)).toMatchObject({ state: 'good' })
    expect(checkShards(wanted, new Set(wanted.slice(0, 2)), now)).toMatchObject({
      state: 'look',
      text: expect.stringMatching(/events_202612/),
    })
    expect(checkShards(wanted, new Set(['users']), now)).toMatchObject({ state: 'bad' })
    expect(checkShards(wanted, null, now)).toMatchObject({
      state: 'look',
      text: expect.stringMatching(/clusterMonitor/),
    })
  })
})
