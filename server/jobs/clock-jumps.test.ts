import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sampleSite } from '../store/sample-events.ts'
import { createSqliteStore } from '../store/sqlite/store.ts'
import { testFolder } from '../store/sqlite/test-folder.ts'
import type { JobNote, Store } from '../store/store.ts'
import { createTelemetry } from '../telemetry/telemetry.ts'
import { createManualClock } from './manual-clock.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'

const PATIENCE_MS = 60_000
const newFolder = testFolder()
const NOON = Date.UTC(2026, 10, 23, 12)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const site = sampleSite()
const name = `export:${site.id}`

describe('jobs of a machine whose clock was wrong', () => {
  let store: Store
  let scheduler: Scheduler | null = null

  beforeEach(async () => {
    store = await createSqliteStore({ path: join(await newFolder(), 'veritas.db'), readers: 1 })
    await store.saveSite(site)
  })
  afterEach(async () => {
    await scheduler?.close()
    await store.close()
  })

  async function noted(note: JobNote): Promise<void> {
    const lease = { name, owner: 'before' }
    await store.jobs.claim({ ...lease, now: 0, until: 1 })
    await store.jobs.note({ ...lease, note })
    await store.jobs.release(lease)
  }
  function start(now: number, days: string[]) {
    const clock = createManualClock(now)
    const run = async ({ day }: { day: string }) => void days.push(day)
    const job = { name: 'export', siteId: site.id, dueUtcMinutes: 600, catchUpDays: 7, run }
    scheduler = createScheduler({ jobs: [job], store, telemetry: createTelemetry({ logLevel: 'silent' }), clock })
    scheduler.start()
    return clock
  }
  const doneThrough = async () => (await store.jobs.list()).find((job) => job.name === name)?.doneThrough

  it.each([
    ['a day', '2026-11-23'],
    ['a year', '2027-11-22'],
  ])('%s ahead: days that were done before they closed are done again once they have', async (_, done) => {
    await noted({ kind: 'begun', doneThrough: done })
    const days: string[] = []
    const clock = start(NOON, days)
    await vi.waitFor(async () => expect(await doneThrough()).toBe('2026-11-22'), PATIENCE_MS)
    expect(days).toEqual([])
    // Whoever did it sleeps again, or would not hear of the time that passes.
    const isLeased = async () => (await store.jobs.list()).some(({ owner }) => owner !== null)
    await vi.waitFor(async () => expect([await isLeased(), clock.sleeping()]).toEqual([false, 2]), PATIENCE_MS)
    clock.advance(DAY_MS)
    await vi.waitFor(() => expect(days).toEqual(['2026-11-23']), PATIENCE_MS)
  })

  it('differs a little from that of another: what that one did is done', async () => {
    await noted({ kind: 'begun', doneThrough: '2026-11-22' })
    const days: string[] = []
    const clock = start(Date.UTC(2026, 10, 23, 9, 30), days)
    for (let minute = 0; minute < 40; minute++) {
      await vi.waitFor(() => expect(clock.sleeping()).toBe(2), PATIENCE_MS)
      clock.advance(60_000)
    }
    expect([days, await doneThrough()]).toEqual([[], '2026-11-22'])
  })

  it('ahead when it failed: the next try does not wait for that moment', async () => {
    await noted({ kind: 'begun', doneThrough: '2026-11-21' })
    await noted({ kind: 'failed', at: NOON + DAY_MS, error: 'it rains', retryAt: NOON + DAY_MS + 60_000 })
    const days: string[] = []
    start(NOON, days)
    await vi.waitFor(() => expect(days).toEqual(['2026-11-22']), PATIENCE_MS)
  })
})
