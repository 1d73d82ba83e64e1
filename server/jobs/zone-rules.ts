import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { monthStart } from '../analysis/months.ts'
import { addDays, clockText, dayOf, dayStart, eachDay, hourStart, rulesVersion } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createMovedDays } from './moved-days.ts'

/** How old what a process knows of the store's rules may be when it stores a batch. */
const LOOK_MS = 2000
/** After new rules are noted: until every process has seen them and finished what it was storing. */
const SEEN_MS = 5000
const LEASE_MS = 60_000
const ROUNDS = 3
/** Days asked for in one question. */
const STEP_DAYS = 100
const JOB = 'time zone rules'

/** By which rules of time zones a site's days are counted (docs/decisions/017). */
export interface ZoneRules {
  /** Looks whether the figures are of the days that this program's rules make, and notes these rules in the store. */
  compare(): Promise<void>
  /** Counts the days again that are not. Resolves at once where all are. */
  recount(): Promise<void>
  /** Throws AppError unavailable when a server with other rules has taken the store over meanwhile. */
  assertOwn(): Promise<void>
  /** Throws AppError unavailable while days are being counted again. */
  assertCounted(): void
  close(): void
}

type Parts = {
  store: Pick<Store, 'site' | 'totals' | 'overview' | 'hours' | 'keptFrom' | 'auditUsers' | 'auditDay'> & {
    moving: Pick<Store['moving'], 'mark' | 'setMark'>
    jobs: Pick<Store['jobs'], 'claim' | 'release'>
  }
  siteId: string
  telemetry: {
    log: Pick<Telemetry['log'], 'warn' | 'info' | 'error'>
    counters: Pick<Telemetry['counters'], 'auditMismatches'>
  }
  now: () => number
}

interface Noted {
  zone: string
  version: string
  clock: string
}

export function createZoneRules({ store, siteId, telemetry, now }: Parts): ZoneRules {
  const { log } = telemetry
  const name = `time zone rules of ${siteId}`
  /** While days are being counted again, and after that was interrupted. */
  const begun = `days of ${siteId} being counted again`
  const owner = randomUUID()
  const closing = new AbortController()
  const { signal } = closing
  let seen = { at: Number.NEGATIVE_INFINITY, isOwn: true }
  /** Null while nobody has looked. */
  let left: { days: number; of: number } | null = null

  async function noted(zone: string): Promise<Noted | null> {
    const text = await store.moving.mark(name)
    const rules = text === null ? null : (JSON.parse(text) as Noted)
    // The zone can still change while there are no events.
    return rules?.zone === zone ? rules : null
  }

  /** Days that are kept whose events are not those of their hours, ascending. */
  async function unfitDays(zone: string): Promise<string[]> {
    const { firstDay, lastDay } = await store.totals(siteId)
    if (firstDay === null || lastDay === null) return []
    const keptFrom = await store.keptFrom()
    const first = addDays(keptFrom === null ? firstDay : later(firstDay, dayOf(zone, monthStart(keptFrom))), -1)
    const unfit = new Set<string>()
    // Days under other rules may be one off at both ends.
    for (let from = first; from <= addDays(lastDay, 1); from = addDays(from, STEP_DAYS)) {
      const range = { siteId, from, to: addDays(from, STEP_DAYS - 1) }
      const counts = new Map((await store.overview(range)).days.map(({ day, events }) => [day, events]))
      for (const { start, events } of await store.hours(range)) {
        const day = dayOf(zone, start)
        counts.set(day, (counts.get(day) ?? 0) - events)
        if (hourStart(zone, start) !== start) unfit.add(day)
      }
      for (const [day, difference] of counts) if (difference !== 0) unfit.add(day)
    }
    return [...unfit].filter((day) => keptFrom === null || dayStart(zone, day) >= monthStart(keptFrom)).sort()
  }

  async function compare(): Promise<void> {
    const site = await store.site(siteId)
    if (!site) return
    const own: Noted = { zone: site.timeZone, version: rulesVersion, clock: clockText(site.timeZone) }
    const before = await noted(site.timeZone)
    if (before?.clock !== own.clock || before.version !== own.version)
      await store.moving.setMark(name, JSON.stringify(own))
    seen = { at: now(), isOwn: true }
    const unfit = await unfitDays(site.timeZone)
    left = unfit.length === 0 ? { days: 0, of: 0 } : { days: unfit.length, of: unfit.length }
    if (unfit.length === 0) {
      if ((await store.moving.mark(begun)) !== null) await store.moving.setMark(begun, null)
      return
    }
    log.warn(
      { site: siteId, timeZone: site.timeZone, rules: rulesVersion, before: before?.version ?? 'unknown', days: unfit },
      `days have other events than their hours, as after a change of the rules of ${site.timeZone}; days from ${unfit[0]} on are counted again by those of ${rulesVersion}`,
    )
    if (before?.clock !== own.clock) await sleep(SEEN_MS, undefined, { signal })
  }

  async function recount(): Promise<void> {
    if (left?.days === 0) return
    for (let round = 0; round < ROUNDS; ) {
      const site = await store.site(siteId)
      const unfit = site ? await unfitDays(site.timeZone) : []
      if (!site || unfit.length === 0) {
        if (left !== null && left.of > 0) log.info({ site: siteId, rules: rulesVersion }, 'the days are counted again')
        await store.moving.setMark(begun, null)
        left = { days: 0, of: 0 }
        return
      }
      if (await claim()) {
        const prolonging = setInterval(() => void claim().catch(() => undefined), LEASE_MS / 4)
        try {
          await countAgain(site.timeZone, unfit[0]!)
        } finally {
          clearInterval(prolonging)
          await store.jobs.release({ name: JOB, owner })
        }
        round += 1
      } else await sleep(LOOK_MS, undefined, { signal })
    }
    left = { days: 0, of: 0 }
    log.error(
      { site: siteId },
      'days that other rules had counted could not be counted again: run npm run audit -- --all --repair',
    )
  }

  const claim = () => store.jobs.claim({ name: JOB, owner, now: now(), until: now() + LEASE_MS })

  /** Users first: days are counted with the help of their rows. Later days count from when on a user was known. */
  async function countAgain(zone: string, firstUnfit: string): Promise<void> {
    const first = addDays(firstUnfit, -1)
    const moved = createMovedDays(siteId, (await store.moving.mark(begun)) === null, telemetry)
    await store.moving.setMark(begun, first)
    for (let after: string | null = null, isMore = true; isMore; isMore = after !== null) {
      signal.throwIfAborted()
      const users = await store.auditUsers({ siteId, since: dayStart(zone, first), after, mend: true, signal })
      moved.users(users)
      after = users.next
    }
    const { lastDay } = await store.totals(siteId)
    const days = eachDay(first, addDays(later(lastDay ?? first, firstUnfit), 1))
    for (const [index, day] of days.entries()) {
      signal.throwIfAborted()
      left = { days: days.length - index, of: days.length }
      moved.day(day, await store.auditDay({ siteId, day, mend: true, repetitions: true, signal }))
    }
    moved.end()
  }

  return {
    compare,
    async recount() {
      for (;;)
        try {
          return await recount()
        } catch (error) {
          if (signal.aborted) return
          if (!(error instanceof AppError && error.code === 'unavailable')) throw error
          await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
        }
    },
    async assertOwn() {
      if (now() - seen.at > LOOK_MS) {
        const site = await store.site(siteId)
        const rules = site && (await noted(site.timeZone))
        seen = { at: now(), isOwn: !rules || rules.clock === clockText(rules.zone) }
      }
      if (!seen.isOwn)
        throw new AppError(
          'unavailable',
          `The days of this store are counted by other rules of time zones than those of this server (${rulesVersion}): another release is at work on it.`,
        )
    },
    assertCounted() {
      if (left !== null && left.days > 0)
        throw new AppError(
          'unavailable',
          `Days are being counted again by new rules of time zones (${left.days} of ${left.of} left); ask again in a moment. Events are taken meanwhile.`,
          { retryAfterSeconds: 5 },
        )
    },
    close: () => closing.abort(),
  }
}

function later(a: string, b: string): string {
  return a > b ? a : b
}
