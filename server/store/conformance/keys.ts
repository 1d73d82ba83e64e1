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
      createdAt: 1_700_000_000_000,
      ...over,
    })

    it('finds a key by its digest and nothing by another', async () => {
      await store().saveSite(site)
      await store().keys.create({ ...key(), keyHash: 'digest-1' })
      await store().keys.create({ ...key({ kind: 'sk', eventsPerSecond: 500, createdAt: 1 }), keyHash: 'digest-2' })
      expect(await store().keys.byHash('digest-1')).toEqual(key())
      expect(await store().keys.byHash('digest-3')).toBeNull()
      expect(await store().keys.list(site.id)).toEqual([key({ kind: 'sk', eventsPerSecond: 500, createdAt: 1 }), key()])
      expect(await store().keys.list('other')).toEqual([])
    })

    it('makes no key for a site that is not there', async () => {
      await expect(store().keys.create({ ...key({ siteId: 'nowhere' }), keyHash: 'digest-4' })).rejects.toMatchObject({
        code: 'not_found',
        field: 'site',
      })
    })
  })
}
