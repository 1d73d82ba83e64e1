import { expect, it } from 'vitest'
import type { ProcessFigures } from './metrics/board.ts'
import { secondsBounds } from './metrics/histogram.ts'
import { createMeasures } from './metrics/measures.ts'
import { createSystem } from './system.ts'
import { createTelemetry } from './telemetry.ts'

const NOW = Date.UTC(2026, 10, 23, 12, 0, 30)
const minute = (back: number) => Math.floor(NOW / 60_000 - back) * 60_000
const none = {
  received: 0,
  recovered: 0,
  rejected: 0,
  stored: 0,
  duplicate: 0,
  deadLettered: 0,
  conflicts: 0,
  waiting: 0,
  lost: 0,
  imbalance: 0,
}

function figures(more: Partial<ProcessFigures>): ProcessFigures {
  const empty = new Array<number>(secondsBounds.length + 1).fill(0)
  return {
    host: 'h',
    pid: 1,
    role: 'all',
    version: '1.0.0',
    startedAt: NOW - 60_000,
    at: NOW,
    balance: none,
    waiting: { events: 0, bytes: 0, oldestAt: null },
    accepting: true,
    doubted: [],
    flushFailures: 0,
    activeFlushes: 0,
    memoryBytes: 1,
    busy: 0,
    acceptedPerSecond: 0,
    storedPerSecond: 0,
    minutes: [],
    flush: empty,
    questions: empty,
    ...more,
  }
}

function overviewOf(processes: ProcessFigures[], more: { jobs?: object[]; exportsAreSetUp?: boolean } = {}) {
  const telemetry = createTelemetry({ logLevel: 'silent' })
  const wal = {
    ackLevel: 'fsync',
    waiting: () => ({ events: 0, bytes: 0, oldestAt: null }),
    recovered: () => 0,
    damaged: () => ({ frames: 0, events: 0 }),
  }
  const parts = {
    wal,
    telemetry,
    deadLetters: { count: async () => 3, isOverFull: async () => true },
    troubles: () => ['The store does not take events.'],
    version: '1.0.0',
    board: { read: async () => processes },
    others: { waiting: () => null },
    store: { engine: 'sqlite', jobs: { list: async () => more.jobs ?? [] } },
    storeAnswers: async () => true,
    walLimitBytes: 1000,
    exportsAreSetUp: more.exportsAreSetUp ?? false,
    now: () => NOW,
  }
  return createSystem(parts as unknown as Parameters<typeof createSystem>[0]).overview()
}

it('adds up what several processes do', async () => {
  const flush = createMeasures().flushDuration
  flush.add(0.02, 90)
  flush.add(0.4, 10)
  const overview = await overviewOf([
    figures({
      role: 'ingest',
      balance: { ...none, received: 10, stored: 7, waiting: 3 },
      waiting: { events: 3, bytes: 500, oldestAt: NOW - 4000 },
      acceptedPerSecond: 2,
      minutes: [{ at: minute(2), accepted: 600, stored: 500 }],
      flush: [...flush.buckets],
      startedAt: NOW - 7_200_000,
    }),
    figures({
      pid: 2,
      role: 'web',
      accepting: false,
      balance: { ...none, received: 1, stored: 1 },
      acceptedPerSecond: 1,
      minutes: [
        { at: minute(2), accepted: 60, stored: 60 },
        { at: minute(90), accepted: 9000, stored: 9000 },
      ],
    }),
  ])
  expect(overview.balance).toEqual({ ...none, received: 11, stored: 8, waiting: 3 })
  expect(overview.log).toEqual({ bytes: 500, limitBytes: 1000, waiting: 3, oldestMs: 4000, accepting: true })
  expect(overview.acceptedPerSecond).toBe(3)
  expect(overview.peak).toEqual({ perSecond: 11, at: new Date(minute(2)).toISOString() })
  expect(overview.minutes).toHaveLength(60)
  expect(overview.minutes.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(660)
  expect(overview.minutes.at(-2)).toEqual({ at: new Date(minute(2)).toISOString(), accepted: 660, stored: 560 })
  expect(overview.writer).toMatchObject({ batches: 100 })
  expect(overview.writer.p95Ms).toBeCloseTo(375, 0)
  expect(overview.questions).toEqual({ count: 0, p95Ms: null })
  expect(overview.since).toBe(new Date(NOW - 7_200_000).toISOString())
  expect(overview.deadLetters).toBe(3)
  expect(overview.troubles).toEqual(['The store does not take events.', expect.stringContaining('dead letters')])
})

it('tells copies that are late from those that are not set up', async () => {
  const state = (name: string, lastSuccessAt: number | null, more = {}) => ({
    name,
    lastSuccessAt,
    failures: 0,
    lastError: null,
    ...more,
  })
  const hour = 3_600_000
  const of = async (jobs: object[], exportsAreSetUp = false) => {
    const { exports, backups } = await overviewOf([figures({})], { jobs, exportsAreSetUp })
    return [exports.state, backups.state]
  }
  expect(await of([])).toEqual(['off', 'off'])
  expect(await of([], true)).toEqual(['late', 'off'])
  expect(await of([state('export:default', NOW - 25 * hour), state('backup', NOW - 27 * hour)])).toEqual([
    'works',
    'late',
  ])
  const { exports } = await overviewOf([figures({})], {
    jobs: [
      state('export:a', NOW - hour),
      state('export:b', NOW - 30 * hour, { failures: 2, lastError: 'no such bucket' }),
    ],
  })
  expect(exports).toEqual({
    state: 'late',
    lastSuccessAt: new Date(NOW - 30 * hour).toISOString(),
    failures: 2,
    lastError: 'no such bucket',
  })
})

it('says what to do about events in doubt of a process that has no page', async () => {
  const doubted = [{ type: 'purchase', month: '2026-11', reason: 'no such column' }]
  const { troubles } = await overviewOf([figures({ role: 'web' }), figures({ pid: 2, role: 'ingest', doubted })])
  expect(troubles.at(-1)).toMatch(/npm run dead-letters -- give-up purchase$/)
})
