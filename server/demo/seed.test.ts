import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Site } from '../../trpc/schema/common.ts'
import type { EventBatch, StoredEvent } from '../store/store.ts'
import { type DemoStore, seedDemo } from './seed.ts'

const now = Date.parse('2026-11-23T13:00:00Z')
const options = { days: 10, users: 200, events: 5000 }

/** Keeps events in memory, once by their batch id; away after a number of batches. */
function memoryStore({ batches = Infinity } = {}) {
  const ledger = new Map<string, StoredEvent[]>()
  let site: Site | null = null
  const state = { batches, calls: 0 }
  const events = () => [...ledger.values()].flat()
  const store: DemoStore = {
    totals: async () => ({
      events: events().length,
      users: 0,
      sessions: 0,
      firstDay: null,
      lastDay: null,
      lastOccurredAt: null,
      lastReceivedAt: null,
    }),
    site: async () => site,
    saveSite: async (saved) => {
      site = saved
      return saved
    },
    insertBatch: async ({ id, events: batch }: EventBatch) => {
      if (ledger.size >= state.batches) throw new Error('the store is away')
      state.calls += 1
      if (!ledger.has(id)) ledger.set(id, batch)
      return { fates: batch.map(() => 'stored'), reasons: {}, stored: batch.length, duplicate: 0, refused: 0 }
    },
  }
  return { store, state, events, ledger }
}

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'veritas-seed-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const quiet = () => {}

describe('seedDemo', () => {
  it('fills an empty store and tells how far it is', async () => {
    const { store, events } = memoryStore()
    const told: number[] = []
    const onProgress = (done: number, total: number) => told.push(done / total)
    expect(await seedDemo(store, { now, dataDir, options, onProgress })).toBe('seeded')
    expect(events()).toHaveLength(5000)
    expect(told).toEqual([0.4, 0.8, 1])
  })

  it('does nothing the second time, whatever was posted since', async () => {
    const { store, state, ledger } = memoryStore()
    await seedDemo(store, { now, dataDir, options, onProgress: quiet })
    ledger.set('posted', [{ ...ledger.get('demo-0')![0]!, eventId: 'posted' }])
    const { calls } = state
    expect(await seedDemo(store, { now: now + 86_400_000, dataDir, onProgress: quiet })).toBe('complete')
    expect(state.calls).toBe(calls)
  })

  it('goes on where it was interrupted, with the events it began with', async () => {
    const whole = memoryStore()
    await seedDemo(whole.store, { now, dataDir, options, onProgress: quiet })
    rmSync(join(dataDir, 'demo.json'))

    const cut = memoryStore({ batches: 1 })
    await expect(seedDemo(cut.store, { now, dataDir, options, onProgress: quiet })).rejects.toThrow('away')
    expect(cut.events()).toHaveLength(2000)
    cut.state.batches = Infinity
    // A day later and asked for another demo: it stays the one that was begun.
    expect(await seedDemo(cut.store, { now: now + 86_400_000, dataDir, onProgress: quiet })).toBe('seeded')
    expect(cut.events()).toEqual(whole.events())
  })

  it('leaves a store with other events alone', async () => {
    const { store, state, ledger, events } = memoryStore()
    await seedDemo(store, { now, dataDir, options, onProgress: quiet })
    const [one] = events()
    ledger.clear()
    ledger.set('posted', [one!])
    for (const content of [null, 'no JSON', '{"seed":1}']) {
      if (content === null) rmSync(join(dataDir, 'demo.json'))
      else writeFileSync(join(dataDir, 'demo.json'), content)
      const { calls } = state
      expect(await seedDemo(store, { now, dataDir, onProgress: quiet })).toBe('other events')
      expect(state.calls).toBe(calls)
    }
  })

  it('begins anew for an emptied store', async () => {
    const { store, ledger, events } = memoryStore()
    await seedDemo(store, { now, dataDir, options, onProgress: quiet })
    ledger.clear()
    const later = now + 5 * 86_400_000
    expect(await seedDemo(store, { now: later, dataDir, options, onProgress: quiet })).toBe('seeded')
    expect(events().at(-1)!.occurredAt).toBeGreaterThan(now)
    expect(JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8'))).toMatchObject({
      endsAt: later,
      complete: true,
    })
  })

  it("counts days in the site's zone where the site has one", async () => {
    const { store, events } = memoryStore()
    await store.saveSite({ id: 'default', name: 'Mine', timeZone: 'Asia/Kolkata', currency: 'INR' })
    await seedDemo(store, { now, dataDir, options: { days: 1, users: 200, events: 2000 }, onProgress: quiet })
    // The one day began at 18:30 UTC of the evening before.
    expect(events()[0]!.occurredAt).toBeGreaterThanOrEqual(Date.parse('2026-11-22T18:30:00Z'))
  })

  it('fails when the store refuses what it sends', async () => {
    const { store } = memoryStore()
    const refusing: DemoStore = {
      ...store,
      insertBatch: async ({ events }) => ({
        fates: events.map(() => 'refused'),
        reasons: { 0: 'because' },
        stored: 0,
        duplicate: 0,
        refused: events.length,
      }),
    }
    await expect(seedDemo(refusing, { now, dataDir, options, onProgress: quiet })).rejects.toThrow('because')
  })
})
