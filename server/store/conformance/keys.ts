import { describe, expect, it } from 'vitest'
import type { Store, WriteKey } from '../store.ts'

export function describeKeys(store: () => Store): void {
  describe('write keys', () => {
    const site = { id: 'key-site', name: 'Keys', timeZone: 'UTC', currency: 'EUR' }
    const key = (over: Partial<WriteKey> = {}): WriteKey => ({
      siteId: site.id,
      kind: 'pk',
      name: 'shop',
      eventsPerSecond: null,
      origins: null,
      createdAt: 1_700_000_000_000,
      ...over,
    })

    it('finds a key by its digest and nothing by another', async () => {
      await store().saveSite(site)
      await store().keys.create({ ...key(), keyHash: 'digest-1' })
      await store().keys.create({
        ...key({ kind: 'sk', eventsPerSecond: 500, origins: 'https://a.example https://b.example', createdAt: 1 }),
        keyHash: 'digest-2',
      })
      expect(await store().keys.byHash('digest-1')).toEqual(key())
      expect(await store().keys.byHash('digest-3')).toBeNull()
      expect(await store().keys.list(site.id)).toEqual([
        {
          ...key({ kind: 'sk', eventsPerSecond: 500, origins: 'https://a.example https://b.example', createdAt: 1 }),
          keyHash: 'digest-2',
        },
        { ...key(), keyHash: 'digest-1' },
      ])
      expect(await store().keys.list('other')).toEqual([])
      expect(await store().keys.digests(1000)).toEqual(expect.arrayContaining(['digest-1', 'digest-2']))
      expect(await store().keys.digests(1)).toHaveLength(1)
    })

    it('knows a revoked key no more, and the others still', async () => {
      await store().saveSite(site)
      for (const keyHash of ['going', 'staying']) await store().keys.create({ ...key({ createdAt: 7 }), keyHash })
      expect(await store().keys.revoke('going')).toBe(true)
      expect(await store().keys.revoke('going')).toBe(false)
      expect(await store().keys.byHash('going')).toBeNull()
      expect(await store().keys.byHash('staying')).not.toBeNull()
      expect((await store().keys.list(site.id)).map(({ keyHash }) => keyHash)).not.toContain('going')
    })

    it('makes no key for a site that is not there', async () => {
      await expect(store().keys.create({ ...key({ siteId: 'nowhere' }), keyHash: 'digest-4' })).rejects.toMatchObject({
        code: 'not_found',
        field: 'site',
      })
    })
  })
}
