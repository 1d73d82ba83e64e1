import { describe, expect, it } from 'vitest'
import { sampleBatch, sampleEvent, sampleSite } from '../sample-events.ts'
import type { MovedKind, MovedRows, Store, StoredEvent } from '../store.ts'
import type { OpenedStore } from './opened-store.ts'

type Samples = { [Kind in MovedKind]: MovedRows[Kind][] }

function samples(): Samples {
  const times = { createdAt: 5, expiresAt: 4e12 }
  const account = { email: 'ana@example.com', name: 'Ana', role: 'owner', passwordHash: 'x', createdAt: 1 } as const
  return {
    sites: [sampleSite({ id: 'a' }), sampleSite({ id: 'b', timeZone: 'Asia/Tokyo', currency: 'JPY' })],
    accounts: [
      { id: '1', ...account },
      { id: '2', ...account, email: 'ben@example.com', role: 'analyst' },
    ],
    logins: ['l1', 'l2'].map((tokenHash) => ({ tokenHash, accountId: '1', ...times })),
    invitations: [{ tokenHash: 'i1', email: 'new@example.com', ...times }],
    tokens: [
      { tokenHash: 't1', name: 'tool', accountId: '1', createdAt: 3 },
      { tokenHash: 't2', name: 'other', accountId: null, createdAt: 4 },
    ],
    keys: [
      { keyHash: 'k1', siteId: 'a', kind: 'pk', name: 'shop', eventsPerSecond: null, origins: null, createdAt: 1 },
      {
        keyHash: 'k2',
        siteId: 'b',
        kind: 'sk',
        name: 'server',
        eventsPerSecond: 50,
        origins: 'https://b.example',
        createdAt: 2,
      },
    ],
    jobs: [
      {
        ...{ name: 'export:a', doneThrough: '2026-11-20', lastSuccessAt: 7, lastFailureAt: null, lastError: null },
        ...{ failures: 0, retryAt: 0, succeeded: 3, failed: 1 },
      },
    ],
  }
}

export function describeMoving(open: () => Promise<OpenedStore>): void {
  describe('moving', () => {
    it('gives every row and puts it in again, each once and in the place of its former self', async () => {
      const { store } = await open()
      const rows = samples()
      for (const kind of Object.keys(rows) as MovedKind[]) {
        expect(await store.moving.rows(kind, null), kind).toEqual([])
        await store.moving.putRows(kind, rows[kind])
        await store.moving.putRows(kind, rows[kind])
        expect(await store.moving.rows(kind, null), kind).toEqual(rows[kind])
        const [first] = Object.values(rows[kind][0] as object) as [string]
        expect(await store.moving.rows(kind, first), kind).toEqual(rows[kind].slice(1))
      }
      await store.moving.putRows('tokens', [{ ...rows.tokens[0]!, name: 'renamed' }])
      expect(await store.accounts.byToken('t1')).toEqual({ name: 'renamed' })
      expect(await store.accounts.bySession('l1', 10)).toMatchObject({ email: 'ana@example.com' })
      expect(await store.accounts.create({ ...rows.accounts[0]!, id: '3' }, { onlyIfFirst: true })).toBeNull()
      expect(await store.keys.byHash('k2')).toMatchObject({ siteId: 'b', eventsPerSecond: 50 })
      expect(await store.jobs.claim({ name: 'export:a', owner: 'x', now: 1, until: 2 })).toBe(true)
      await store.moving.clearRows('tokens')
      expect(await store.moving.rows('tokens', null)).toEqual([])
      await store.close()
    })

    it('gives the events of a site in steps that can be taken up anywhere', async () => {
      const { store, reopen } = await open()
      const { id: siteId } = await store.saveSite(sampleSite())
      const events = Array.from({ length: 4500 }, (_, n) =>
        sampleEvent({ siteId, occurredAt: Date.UTC(2026, n % 3, 5), userId: `user-${n % 50}` }),
      )
      await store.insertBatch(sampleBatch(...events))
      const read = async (from: Store, start: string | null) => {
        const places: (string | null)[] = []
        const found: StoredEvent[][] = []
        for (let place = start, isFirst = true; isFirst || place !== null; isFirst = false) {
          const step = await from.moving.events(siteId, place)
          places.push(place)
          found.push(step.events)
          place = step.next
        }
        return { places, found }
      }
      const { places, found } = await read(store, null)
      const byId = (list: StoredEvent[]) => [...list].sort((a, b) => a.seq - b.seq)
      expect(byId(found.flat())).toEqual(byId(events))
      expect(places.length).toBeGreaterThan(2)
      const again = await reopen()
      const middle = Math.floor(places.length / 2)
      expect((await read(again, places[middle]!)).found).toEqual(found.slice(middle))
      await again.close()
    })

    it('tells when batches were stored, and keeps facts', async () => {
      const { store, reopen } = await open()
      const { id: siteId } = await store.saveSite(sampleSite())
      const states = [await store.moving.state()]
      for (let n = 0; n < 3; n++) {
        await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
        await store.totals(siteId)
        states.push(await store.moving.state())
      }
      expect(new Set(states.map((state) => state.written)).size).toBe(4)
      expect(states.map((state) => state.unfinished)).toEqual([0, 0, 0, 0])
      expect(await store.moving.mark('fact')).toBeNull()
      await store.moving.setMark('fact', '1')
      await store.moving.setMark('fact', '2')
      const again = await reopen()
      expect(await again.moving.mark('fact')).toBe('2')
      await again.moving.setMark('fact', null)
      expect(await again.moving.mark('fact')).toBeNull()
      await again.close()
    })
  })
}
