import { describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'

export function describeJobs(store: () => Store): void {
  describe('jobs', () => {
    const jobs = () => store().jobs
    const state = async (name: string) => (await jobs().list()).find((job) => job.name === name)
    const lease = (name: string, owner: string, now = 0) => ({ name, owner, now, until: now + 1000 })

    it('gives a lease to one of many that claim it at once', async () => {
      const owners = Array.from({ length: 10 }, (_, index) => `owner-${index}`)
      const taken = await Promise.all(owners.map((owner) => jobs().claim(lease('race', owner))))
      expect(taken.filter(Boolean)).toHaveLength(1)
      expect((await state('race'))?.owner).toBe(owners[taken.indexOf(true)])
    })

    it('lets its owner prolong it, and others have it once it ran out or was given up', async () => {
      expect(await jobs().claim(lease('turns', 'a'))).toBe(true)
      expect(await jobs().claim(lease('turns', 'b', 999))).toBe(false)
      expect(await jobs().claim(lease('turns', 'a', 999))).toBe(true)
      expect(await jobs().claim(lease('turns', 'b', 1500))).toBe(false)
      expect(await jobs().claim(lease('turns', 'b', 1999))).toBe(true)
      expect(await jobs().claim(lease('turns', 'a', 2000))).toBe(false)
      await jobs().release({ name: 'turns', owner: 'a' })
      expect(await jobs().claim(lease('turns', 'a', 2000))).toBe(false)
      await jobs().release({ name: 'turns', owner: 'b' })
      expect(await jobs().claim(lease('turns', 'a', 2000))).toBe(true)
    })

    it('notes what came of runs, and counts them', async () => {
      const [name, owner] = ['noted', 'a']
      await jobs().claim(lease(name, owner))
      const note = (entry: Parameters<Store['jobs']['note']>[0]['note']) => jobs().note({ name, owner, note: entry })
      expect(await note({ kind: 'begun', doneThrough: '2026-11-20' })).toBe(true)
      expect(await note({ kind: 'failed', at: 5, error: 'disk full', retryAt: 65 })).toBe(true)
      expect(await note({ kind: 'failed', at: 6, error: 'still full', retryAt: 66 })).toBe(true)
      expect(await state(name)).toEqual({
        name,
        owner,
        leaseUntil: 1000,
        doneThrough: '2026-11-20',
        lastSuccessAt: null,
        lastFailureAt: 6,
        lastError: 'still full',
        failures: 2,
        retryAt: 66,
        succeeded: 0,
        failed: 2,
      })
      await note({ kind: 'succeeded', at: 7, doneThrough: '2026-11-21' })
      await note({ kind: 'succeeded', at: 8, doneThrough: null })
      expect(await state(name)).toMatchObject({
        doneThrough: '2026-11-21',
        lastSuccessAt: 8,
        lastFailureAt: 6,
        lastError: null,
        failures: 0,
        retryAt: 0,
        succeeded: 2,
        failed: 2,
      })
    })

    it('notes nothing for one whose lease is another’s by now', async () => {
      await jobs().claim(lease('fenced', 'slow'))
      await jobs().claim(lease('fenced', 'fast', 1000))
      const note = { kind: 'succeeded', at: 1, doneThrough: '2026-11-21' } as const
      expect(await jobs().note({ name: 'fenced', owner: 'slow', note })).toBe(false)
      expect(await jobs().note({ name: 'unheard of', owner: 'slow', note })).toBe(false)
      expect(await state('fenced')).toMatchObject({ owner: 'fast', doneThrough: null, succeeded: 0 })
    })

    it('lists jobs by name', async () => {
      for (const name of ['list-b', 'list-a']) await jobs().claim(lease(name, 'a'))
      const names = (await jobs().list()).map((job) => job.name).filter((name) => name.startsWith('list-'))
      expect(names).toEqual(['list-a', 'list-b'])
    })
  })
}
