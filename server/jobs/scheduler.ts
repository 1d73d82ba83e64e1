import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { addDays } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import type { JobState, Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type Clock, systemClock } from './clock.ts'
import { daysDue, lastClosedDay, lastDueAt } from './days.ts'
import { type Job, type JobRun, jobKey } from './job.ts'
import { withLease } from './lease.ts'

export interface Scheduler {
  start(): void
  /** Aborts what runs and waits for its end. */
  close(): Promise<void>
}

export interface SchedulerParts {
  /** All there are, or how to find them; those that come later begin within half a minute. */
  jobs: readonly Job[] | (() => Promise<readonly Job[]>)
  store: Pick<Store, 'jobs' | 'site'>
  telemetry: Pick<Telemetry, 'log' | 'counters'>
  clock?: Clock
  /** Tells processes apart; made up unless given. */
  owner?: string
}

interface Due {
  doneThrough: string
  isBegun: boolean
  /** It was done through a day that has not closed yet, by a clock that was ahead. */
  isAhead: boolean
  days: string[]
  givenUp: number
  retryInMs: number
}

/** How often a process looks what is due: others may have failed or died meanwhile. */
const LOOK_MS = 30_000
const FIRST_RETRY_MS = 60_000
const MAX_RETRY_MS = 30 * 60_000
const DAY_MS = 86_400_000
/** Clocks of machines differ by less; whatever is further ahead was wrong. */
const SKEW_MS = 60 * 60_000

/**
 * Runs each job once for each closed day, in whichever process is first; one job at a time in a process. What fails is
 * tried again, by any process, after a wait that doubles. Missed days are caught up, oldest first.
 */
export function createScheduler({
  jobs,
  store,
  telemetry,
  clock = systemClock,
  owner = ownName(),
}: SchedulerParts): Scheduler {
  const { log, counters } = telemetry
  const closing = new AbortController()
  const running: Promise<void>[] = []
  const begun = new Set<string>()
  let turn: Promise<unknown> = Promise.resolve()

  /** The states as they are now; the counters follow, for what other processes and tools did too. */
  async function states(): Promise<JobState[]> {
    const found = await store.jobs.list()
    for (const { name, succeeded, failed, lastSuccessAt } of found)
      counters.jobs[name] = { succeeded, failed, lastSuccessAt }
    return found
  }

  async function dueOf(job: Job, timeZone: string): Promise<Due> {
    const state = (await states()).find(({ name }) => name === jobKey(job))
    const closed = lastClosedDay(timeZone, clock.now(), job.dueUtcMinutes)
    // The first time of all there is nothing to catch up.
    const isBegun = typeof state?.doneThrough === 'string'
    const noted = state?.doneThrough ?? addDays(closed, -1)
    const isAhead = noted > lastClosedDay(timeZone, clock.now() + SKEW_MS, job.dueUtcMinutes)
    const doneThrough = isAhead ? closed : noted
    const waitMs = (state?.retryAt ?? 0) - clock.now()
    const retryInMs = waitMs > MAX_RETRY_MS + SKEW_MS ? 0 : Math.max(0, waitMs)
    return { doneThrough, isBegun, isAhead, retryInMs, ...daysDue(doneThrough, closed, job.catchUpDays) }
  }

  /** Does what is due; returns how long until the next look. */
  async function look(job: Job): Promise<number> {
    const site = await store.site(job.siteId)
    if (!site) return LOOK_MS
    const name = jobKey(job)
    const { days, isAhead, retryInMs } = await dueOf(job, site.timeZone)
    if ((days.length > 0 || isAhead) && retryInMs === 0)
      await withLease({ jobs: store.jobs, clock, name, owner, signal: closing.signal }, async (signal) => {
        // Another process may have been at it since.
        const due = await dueOf(job, site.timeZone)
        if (due.retryInMs > 0) return
        const { doneThrough, isBegun, givenUp } = due
        if (due.isAhead)
          log.warn({ job: name, doneThrough }, 'the clock was ahead: later days are done again once they close')
        if (!isBegun || due.isAhead) await store.jobs.note({ name, owner, note: { kind: 'begun', doneThrough } })
        if (givenUp > 0) log.warn({ job: name, days: givenUp }, 'missed days are too old to be caught up')
        for (const day of due.days) if (signal.aborted || !(await runDay(job, { day, site, signal }))) break
        await states()
      })
    return Math.min(LOOK_MS, untilDue(job, clock.now()), retryInMs || LOOK_MS)
  }

  /** False when the days after it must wait. */
  async function runDay(job: Job, run: JobRun): Promise<boolean> {
    const name = jobKey(job)
    const startedAt = clock.now()
    log.info({ job: name, day: run.day }, 'job begins')
    try {
      await job.run(run)
    } catch (error) {
      if (!closing.signal.aborted) await noteFailure(name, run.day, error)
      return false
    }
    const at = clock.now()
    const noted = await store.jobs.note({ name, owner, note: { kind: 'succeeded', at, doneThrough: run.day } })
    if (noted) log.info({ job: name, day: run.day, tookMs: at - startedAt }, 'job done')
    else log.warn({ job: name, day: run.day }, 'another process took this job over and does the day again')
    return noted
  }

  async function noteFailure(name: string, day: string, error: unknown): Promise<void> {
    log.error({ err: error, job: name, day }, 'job failed, will be tried again')
    const failures = (await states()).find((state) => state.name === name)?.failures ?? 0
    const at = clock.now()
    const retryAt = at + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20))
    await store.jobs.note({ name, owner, note: { kind: 'failed', at, error: lineOf(error), retryAt } })
  }

  /** One job at a time, so that a small machine is never busy with all of them. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work)
    turn = next.catch(() => {})
    return next
  }

  async function keepLooking(look: () => Promise<number>): Promise<void> {
    let isAway = false
    while (!closing.signal.aborted) {
      let waitMs = LOOK_MS
      try {
        waitMs = await look()
        isAway = false
      } catch (error) {
        // A store that is away says so at every flush; here once is enough.
        if (!isAway && !closing.signal.aborted) log.warn({ err: error }, 'jobs cannot look what is due')
        isAway = true
      }
      await clock.sleep(Math.max(1, waitMs), closing.signal)
    }
  }

  function begin(found: readonly Job[]): void {
    for (const job of found) {
      if (begun.has(jobKey(job)) || closing.signal.aborted) continue
      begun.add(jobKey(job))
      running.push(keepLooking(() => inTurn(async () => (closing.signal.aborted ? LOOK_MS : look(job)))))
    }
  }

  return {
    start() {
      if (running.length > 0 || closing.signal.aborted) return
      // Without jobs of its own a process tells all the same what others and tools did.
      running.push(keepLooking(async () => states().then(() => LOOK_MS)))
      if (typeof jobs === 'function')
        running.push(
          keepLooking(async () => {
            begin(await jobs())
            return LOOK_MS
          }),
        )
      else begin(jobs)
    },
    async close() {
      closing.abort(new AppError('unavailable', 'The server closes.'))
      await Promise.all(running)
    },
  }
}

function untilDue({ dueUtcMinutes }: Job, now: number): number {
  return Math.min(LOOK_MS, lastDueAt(now, dueUtcMinutes) + DAY_MS - now)
}

function ownName(): string {
  return `${hostname()}-${process.pid}-${randomUUID()}`
}

function lineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0]!.slice(0, 500)
}
