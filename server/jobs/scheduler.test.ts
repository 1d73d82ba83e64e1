import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sampleSite } from '../store/sample-events.ts'
import { createSqliteStore } from '../store/sqlite/store.ts'
import { testFolder } from '../store/sqlite/test-folder.ts'
import type { Store } from '../store/store.ts'
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts'
import type { Job, JobRun } from './job.ts'
import { createManualClock } from './manual-clock.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'

/** What is waited for comes at once, or late on a busy machine. */
const PATIENCE_MS = 60_000

const newFolder = testFolder()
const TEN = Date.UTC(2026, 10, 23, 10)
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

describe('scheduler', () => {
  const site = sampleSite()
  const name = `export:${site.id}`
  let store: Store
  /** Questions to the store that it has not answered yet. */
  let asked = 0
  let clock: ReturnType<typeof createManualClock>
  let telemetry: Telemetry
  const open: Scheduler[] = []

  beforeEach(async () => {
    const opened = await createSqliteStore({ path: join(await newFolder(), 'veritas.db'), readers: 1 })
    await opened.saveSite(site)
    const { claim, release, note, list } = opened.jobs
    const jobs = { claim: counted(claim), release: counted(release), note: counted(note), list: counted(list) }
    store = { ...opened, site: counted(opened.site), jobs }
    clock = createManualClock(TEN - MINUTE_MS)
    telemetry = createTelemetry({ logLevel: 'silent' })
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((scheduler) => scheduler.close()))
    await store.close()
  })

  function counted<Args extends unknown[], Answer>(ask: (...args: Args) => Promise<Answer>) {
    return async (...args: Args) => {
      asked += 1
      try {
        return await ask(...args)
      } finally {
        asked -= 1
      }
    }
  }

  it('begins the jobs that are found later', async () => {
    const days: string[] = []
    const jobOf = (name: string): Job => ({
      ...{ name, siteId: site.id, dueUtcMinutes: 600, catchUpDays: 7 },
      run: async ({ day }) => void days.push(`${name} ${day}`),
    })
    const found = [jobOf('export')]
    const scheduler = createScheduler({ jobs: async () => found, store, telemetry, clock })
    open.push(scheduler)
    scheduler.start()
    await vi.waitFor(() => expect(days).toEqual(['export 2026-11-21']), PATIENCE_MS)
    found.push(jobOf('audit'))
    await vi.waitFor(async () => {
      await clock.advance(MINUTE_MS)
      expect(days).toContain('audit 2026-11-22')
    }, PATIENCE_MS)
    expect(new Set(days).size).toBe(days.length)
  })

  function start(run: Job['run'], over: Partial<Job> = {}): Scheduler {
    const job: Job = { name: 'export', siteId: site.id, dueUtcMinutes: 600, catchUpDays: 7, run, ...over }
    const scheduler = createScheduler({ jobs: [job], store, telemetry, clock })
    open.push(scheduler)
    scheduler.start()
    return scheduler
  }
  const state = async () => (await store.jobs.list()).find((job) => job.name === name)
  /** Until each process sleeps over the states and over its job, or over the lease of a job that runs on. */
  async function rest(): Promise<void> {
    const isAtRest = () => expect([asked, clock.sleeping()]).toEqual([0, 2 * open.length])
    await vi.waitFor(isAtRest, { timeout: PATIENCE_MS, interval: 2 })
  }
  /** Lets time pass in steps; whoever wakes has come to rest again before the next, however long that takes. */
  async function pass(ms: number, stepMs = 10_000): Promise<void> {
    await rest()
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(Math.min(stepMs, ms - passed))
      await rest()
    }
  }
  async function untilDone(day: string): Promise<void> {
    for (let tries = 0; tries < 1000 && (await state())?.doneThrough !== day; tries++) {
      await pass(1000)
    }
    expect(await state()).toMatchObject({ doneThrough: day })
  }

  it('does each day once, when it falls due', async () => {
    const days: string[] = []
    start(async ({ day }) => void days.push(day))
    await vi.waitFor(async () => expect((await state())?.doneThrough).toBe('2026-11-21'), PATIENCE_MS)
    await pass(MINUTE_MS - 1)
    expect(days).toEqual(['2026-11-21'])
    await pass(1)
    await untilDone('2026-11-22')
    expect(days).toEqual(['2026-11-21', '2026-11-22'])
    expect(telemetry.counters.jobs[name]).toMatchObject({ succeeded: 2, failed: 0 })
    expect(telemetry.counters.jobs[name]?.lastSuccessAt).toBeGreaterThanOrEqual(TEN)
  })

  it('does a day in one of many processes, and keeps the others away for as long as it takes', async () => {
    const runs: JobRun[] = []
    let finish = () => {}
    const run = (given: JobRun) => {
      runs.push(given)
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    }
    for (let process = 0; process < 3; process++) start(run)
    await vi.waitFor(() => expect(runs).toHaveLength(1), PATIENCE_MS)
    await pass(5 * MINUTE_MS)
    expect(runs).toHaveLength(1)
    expect(runs[0]?.signal.aborted).toBe(false)
    finish()
    await vi.waitFor(async () => expect((await state())?.doneThrough).toBe('2026-11-21'), PATIENCE_MS)
  })

  it('takes over from a process that died once its lease has run out', async () => {
    await store.jobs.claim({ name, owner: 'dead', now: clock.now(), until: clock.now() + 45_000 })
    const days: string[] = []
    start(async ({ day }) => void days.push(day))
    await pass(40_000)
    expect(days).toEqual([])
    await pass(40_000)
    await untilDone('2026-11-22')
  })

  it('leaves a day alone for which another process failed a moment ago', async () => {
    const days: string[] = []
    const { jobs } = store
    let isFirst = true
    // The other is faster between this one's look and its claim.
    const claim: Store['jobs']['claim'] = async (lease) => {
      if (isFirst) {
        isFirst = false
        const other = { name, owner: 'other' }
        await jobs.claim({ ...lease, ...other })
        const retryAt = clock.now() + 45_000
        await jobs.note({ ...other, note: { kind: 'failed', at: clock.now(), error: 'it rains', retryAt } })
        await jobs.release(other)
      }
      return jobs.claim(lease)
    }
    const job: Job = {
      name: 'export',
      siteId: site.id,
      dueUtcMinutes: 600,
      catchUpDays: 7,
      run: async ({ day }) => void days.push(day),
    }
    const raced = { site: store.site, jobs: { ...jobs, claim } }
    const scheduler = createScheduler({ jobs: [job], store: raced, telemetry, clock })
    open.push(scheduler)
    scheduler.start()
    await vi.waitFor(async () => expect(await state()).toMatchObject({ failures: 1, owner: null }), PATIENCE_MS)
    await pass(40_000)
    expect(days).toEqual([])
    await untilDone('2026-11-22')
  })

  it('catches up three missed days, oldest first', async () => {
    await store.jobs.claim({ name, owner: 'me', now: 0, until: 1 })
    await store.jobs.note({ name, owner: 'me', note: { kind: 'begun', doneThrough: '2026-11-18' } })
    await store.jobs.release({ name, owner: 'me' })
    const days: string[] = []
    start(async ({ day }) => void days.push(day))
    await untilDone('2026-11-21')
    expect(days).toEqual(['2026-11-19', '2026-11-20', '2026-11-21'])
  })

  it('tries a failed day again after a wait that doubles, in whichever process, and the days after it later', async () => {
    const tries: [day: string, at: number][] = []
    let fails = true
    const run: Job['run'] = async ({ day }) => {
      tries.push([day, clock.now()])
      if (fails) throw new Error('the bucket is gone\nand more')
    }
    const first = start(run)
    await vi.waitFor(async () => expect(await state()).toMatchObject({ failures: 1, owner: null }), PATIENCE_MS)
    await first.close()
    open.splice(open.indexOf(first), 1)
    expect(await state()).toMatchObject({ lastError: 'the bucket is gone', failed: 1, lastSuccessAt: null })
    start(run)
    await pass(DAY_MS / 24)
    const waits = tries.slice(1).map(([, at], index) => Math.round((at - tries[index]![1]) / MINUTE_MS))
    expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8])
    expect(new Set(tries.map(([day]) => day))).toEqual(new Set(['2026-11-21']))
    fails = false
    await pass(31 * MINUTE_MS, MINUTE_MS)
    await untilDone('2026-11-22')
    expect(await state()).toMatchObject({ failures: 0, lastError: null, retryAt: 0, succeeded: 2 })
  })

  it('ends what runs when it closes, which is no failure, and leaves the day to the next', async () => {
    let begun = false
    let ended = false
    const stopping = (run: JobRun) =>
      new Promise<void>((_, reject) => {
        begun = true
        run.signal.addEventListener('abort', () => {
          ended = true
          reject(run.signal.reason)
        })
      })
    const scheduler = start(stopping)
    await vi.waitFor(() => expect(begun).toBe(true), PATIENCE_MS)
    await scheduler.close()
    open.splice(open.indexOf(scheduler), 1)
    expect(ended).toBe(true)
    expect(await state()).toMatchObject({ owner: null, failed: 0, doneThrough: '2026-11-20' })
    start(async () => {})
    await untilDone('2026-11-21')
  })

  it('stops work whose lease another process has, and notes nothing for it', async () => {
    let reason: unknown
    start(
      ({ signal }) =>
        new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
            reject(reason)
          })
        }),
    )
    await vi.waitFor(async () => expect((await state())?.owner).toEqual(expect.any(String)), PATIENCE_MS)
    // As a process would whose clock is far ahead, or after this one was frozen.
    expect(await store.jobs.claim({ name, owner: 'thief', now: TEN + DAY_MS, until: TEN + 2 * DAY_MS })).toBe(true)
    await pass(20_000)
    await vi.waitFor(() => expect(reason).toMatchObject({ message: expect.stringContaining('lease') }), PATIENCE_MS)
    expect(await state()).toMatchObject({ owner: 'thief', failed: 0 })
  })

  it('runs one job of a process at a time', async () => {
    let running = 0
    let most = 0
    const run = async () => {
      running += 1
      most = Math.max(most, running)
      await sleep(30)
      running -= 1
    }
    const jobs = ['a', 'b', 'c'].map((job) => ({ name: job, siteId: site.id, dueUtcMinutes: 0, catchUpDays: 1, run }))
    const scheduler = createScheduler({ jobs, store, telemetry, clock })
    open.push(scheduler)
    scheduler.start()
    await vi.waitFor(
      async () => expect((await store.jobs.list()).map((job) => job.succeeded)).toEqual([1, 1, 1]),
      PATIENCE_MS,
    )
    expect(most).toBe(1)
  })

  it('waits for a store that is away, and works on once it is back', async () => {
    const days: string[] = []
    let away = true
    const sometimes = {
      site: (id: string) => (away ? Promise.reject(new Error('away')) : store.site(id)),
      jobs: store.jobs,
    }
    const job: Job = {
      name: 'export',
      siteId: site.id,
      dueUtcMinutes: 600,
      catchUpDays: 1,
      run: async ({ day }) => void days.push(day),
    }
    const scheduler = createScheduler({ jobs: [job], store: sometimes, telemetry, clock })
    open.push(scheduler)
    scheduler.start()
    await pass(30_000)
    expect(days).toEqual([])
    away = false
    await pass(70_000)
    await untilDone('2026-11-22')
  })
})
