import type { Balance, CopyStatus, ProcessStatus, SystemOverview, SystemStatus } from '../../trpc/schema/system.ts'
import type { Wal } from '../ingest/wal/wal.ts'
import type { JobState, Store } from '../store/store.ts'
import type { DeadLetters } from '../writer/dead-letters.ts'
import type { OtherLogs } from '../writer/other-logs.ts'
import { inDoubt } from '../writer/progress.ts'
import type { Board, ProcessFigures } from './metrics/board.ts'
import { quantile, secondsBounds } from './metrics/histogram.ts'
import type { Counters, Telemetry } from './telemetry.ts'

/** What the server knows of itself, for the pages and tools of those who run it. */
export interface System {
  /** Cheap enough for every page. */
  status(): Promise<SystemStatus>
  overview(): Promise<SystemOverview>
  deadLetters: DeadLetters
}

export interface SystemParts {
  wal: Wal
  telemetry: Telemetry
  deadLetters: DeadLetters
  /** Why events are not stored, a sentence each. */
  troubles: () => string[]
  version: string
  board: Pick<Board, 'read'>
  others: Pick<OtherLogs, 'waiting'>
  store: Pick<Store, 'engine' | 'jobs'>
  storeAnswers(): Promise<boolean>
  /** Bytes that may wait in the log. */
  walLimitBytes: number
  exportsAreSetUp: boolean
  now: () => number
}

const MINUTE_MS = 60_000
const MINUTES = 60
/** A day and what an export may take, or be late, without anybody having to look. */
const COPY_LATE_MS = 26 * 3_600_000

export function createSystem(parts: SystemParts): System {
  const { wal, telemetry, deadLetters, version, board, others, store, storeAnswers, walLimitBytes, now } = parts

  async function status(): Promise<SystemStatus> {
    return {
      balance: balance(telemetry.counters, wal),
      deadLetters: await deadLetters.count(),
      troubles: await troublesOf(parts),
      ackLevel: wal.ackLevel,
      version,
    }
  }

  return {
    deadLetters,
    status,
    async overview() {
      const [own, processes, up, jobs] = await Promise.all([
        status(),
        board.read(),
        storeAnswers(),
        store.jobs.list().catch((): JobState[] => []),
      ])
      const at = now()
      const minutes = lastMinutes(processes, at)
      const flush = sumOf(processes.map((process) => process.flush))
      const questions = sumOf(processes.map((process) => process.questions))
      const sum = (of: (process: ProcessFigures) => number) => processes.reduce((total, each) => total + of(each), 0)
      const beyond = others.waiting()
      const moments = [...processes.map(({ waiting }) => waiting.oldestAt), beyond?.oldestAt]
      const oldest = Math.min(at, ...moments.flatMap((moment) => moment ?? []))
      // Those that take no events have no say in it.
      const takers = processes.filter(({ role }) => role !== 'web')
      const doubted = processes.slice(1).flatMap((process) => process.doubted.map(({ type }) => type))
      return {
        ...own,
        // Where a process that answers takes no events, nobody else shows it.
        troubles: [...new Set(doubted.length > 0 ? [...own.troubles, inDoubt(doubted)] : own.troubles)],
        balance: sumOfBalances(processes.map((process) => process.balance)),
        checkedAt: iso(at),
        since: iso(Math.min(...processes.map(({ startedAt }) => startedAt))),
        processes: processes.map(processStatus),
        acceptedPerSecond: sum((process) => process.acceptedPerSecond),
        storedPerSecond: sum((process) => process.storedPerSecond),
        peak: peakOf(minutes, { perSecond: sum((process) => process.acceptedPerSecond), at }),
        minutes: minutes.map(({ at, ...counts }) => ({ at: iso(at), ...counts })),
        log: {
          bytes: sum(({ waiting }) => waiting.bytes),
          limitBytes: walLimitBytes * Math.max(1, takers.length),
          waiting: sum(({ waiting }) => waiting.events) + (beyond?.events ?? 0),
          oldestMs: at - oldest,
          accepting: takers.length > 0 && takers.every(({ accepting }) => accepting),
        },
        writer: {
          active: sum((process) => process.activeFlushes),
          failures: sum((process) => process.flushFailures),
          p95Ms: inMs(quantile({ bounds: secondsBounds, buckets: Float64Array.from(flush) }, 0.95)),
          batches: count(flush),
        },
        store: { engine: store.engine, up },
        questions: {
          count: count(questions),
          p95Ms: inMs(quantile({ bounds: secondsBounds, buckets: Float64Array.from(questions) }, 0.95)),
        },
        exports: copyStatus(jobs, 'export', parts.exportsAreSetUp, at),
        backups: copyStatus(jobs, 'backup', false, at),
      }
    },
  }
}

/** What keeps events from the store, or soon may: those who run this server are told on /health and every page. */
export async function troublesOf({ troubles, deadLetters }: Pick<SystemParts, 'troubles' | 'deadLetters'>) {
  const areTooMany = await deadLetters.isOverFull().catch(() => false)
  return areTooMany ? [...troubles(), TOO_MANY_LETTERS] : troubles()
}

const TOO_MANY_LETTERS =
  'The dead letters take more of the disk than they should. Find out why there are so many, then replay or discard them.'

/** The sum that must come out even: received + recovered = rejected + stored + duplicate + deadLettered + waiting + lost. */
export function balance(
  { received, rejected, stored, duplicate, deadLettered, conflicts }: Counters,
  log: { waiting(): { events: number }; recovered(): number; damaged(): { events: number } },
): Balance {
  const recovered = log.recovered()
  const waiting = log.waiting().events
  const lost = log.damaged().events
  const imbalance = received + recovered - rejected - stored - duplicate - deadLettered - waiting - lost
  return { received, recovered, rejected, stored, duplicate, deadLettered, conflicts, waiting, lost, imbalance }
}

/** Each process balances for itself, and so does their sum. */
function sumOfBalances(balances: readonly Balance[]): Balance {
  const [first, ...others] = balances as [Balance, ...Balance[]]
  const sum = { ...first }
  for (const each of others) for (const key of Object.keys(sum) as (keyof Balance)[]) sum[key] += each[key]
  return sum
}

function processStatus(figures: ProcessFigures): ProcessStatus {
  const { host, pid, role, version, startedAt, at, acceptedPerSecond, waiting, accepting, memoryBytes, busy } = figures
  return {
    host,
    pid,
    role,
    version,
    startedAt: iso(startedAt),
    seenAt: iso(at),
    acceptedPerSecond,
    waiting: waiting.events,
    accepting,
    memoryBytes,
    busy,
  }
}

interface Minute {
  at: number
  accepted: number
  stored: number
}

/** The hour before the minute that is not over, over all processes. */
function lastMinutes(processes: readonly ProcessFigures[], now: number): Minute[] {
  const end = Math.floor(now / MINUTE_MS)
  const minutes = Array.from({ length: MINUTES }, (_, index): Minute => {
    return { at: (end - MINUTES + index) * MINUTE_MS, accepted: 0, stored: 0 }
  })
  for (const process of processes)
    for (const { at, accepted, stored } of process.minutes) {
      const minute = minutes[Math.floor(at / MINUTE_MS) - end + MINUTES]
      if (!minute) continue
      minute.accepted += accepted
      minute.stored += stored
    }
  return minutes
}

/** The minute that is not over may be the busiest as well. */
function peakOf(minutes: readonly Minute[], now: { perSecond: number; at: number }): SystemOverview['peak'] {
  const peak = minutes
    .map(({ accepted, at }) => ({ perSecond: accepted / 60, at }))
    .reduce((most, each) => (each.perSecond > most.perSecond ? each : most), now)
  return peak.perSecond === 0 ? null : { ...peak, at: iso(peak.at) }
}

function copyStatus(jobs: readonly JobState[], kind: string, isSetUp: boolean, now: number): CopyStatus {
  const states = jobs.filter(({ name }) => name === kind || name.startsWith(`${kind}:`))
  const lastSuccessAt =
    states.length === 0 ? null : Math.min(...states.map((state) => state.lastSuccessAt ?? 0)) || null
  const failures = states.reduce((sum, state) => sum + state.failures, 0)
  const isLate = lastSuccessAt === null || now - lastSuccessAt > COPY_LATE_MS
  return {
    state: states.length === 0 && !isSetUp ? 'off' : isLate ? 'late' : 'works',
    lastSuccessAt: lastSuccessAt === null ? null : iso(lastSuccessAt),
    failures,
    lastError: states.find(({ lastError }) => lastError !== null)?.lastError ?? null,
  }
}

function sumOf(buckets: readonly number[][]): number[] {
  return secondsBounds.concat(0).map((_, index) => buckets.reduce((sum, each) => sum + (each[index] ?? 0), 0))
}

function count(buckets: readonly number[]): number {
  return buckets.reduce((sum, each) => sum + each, 0)
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
