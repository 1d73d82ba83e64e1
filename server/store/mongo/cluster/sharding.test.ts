import { describe, expect, it } from 'vitest'
import { shardCommands, shardings, shardLines, spreadOf } from './sharding.ts'

describe('sharding', () => {
  const wanted = shardings([202611, 202612])

  it('spreads what grows, each by a key whose rows cannot be there twice', () => {
    expect(wanted.map(({ collection, key }) => [collection, Object.keys(key)])).toEqual([
      ['event_ids', ['_id']],
      ['users', ['_id']],
      ['sessions', ['_id']],
      ['orders', ['_id']],
      ['events_202611', ['user']],
      ['events_202612', ['user']],
    ])
    expect(wanted.every(({ key }) => Object.values(key)[0] === 'hashed')).toBe(true)
  })

  it('is written as commands, and as lines for mongosh that come to the same', () => {
    expect(shardCommands('shop', wanted.slice(-1))).toEqual([
      { enableSharding: 'shop' },
      { shardCollection: 'shop.events_202612', key: { user: 'hashed' } },
    ])
    expect(shardLines('shop', wanted.slice(-1))).toEqual([
      'sh.enableSharding("shop")',
      'db.getSiblingDB("shop").getCollection("events_202612").createIndex({"user":"hashed"})',
      'sh.shardCollection("shop.events_202612", {"user":"hashed"})',
    ])
  })

  it('is not what the catalogue has of collections that were moved as a whole', () => {
    const catalogue = [{ _id: 'shop.users' }, { _id: 'shop.events_202611', unsplittable: true }]
    expect(spreadOf('shop', catalogue)).toEqual(new Set(['users']))
  })
})
