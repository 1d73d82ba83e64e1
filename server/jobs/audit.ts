import { addDays, dayStart } from '../analysis/zones.ts'
import type { MovingStore, Store, UsersAudit } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type AuditProgress, openAuditProgress } from './audit-progress.ts'
import type { Job } from './job.ts'

const DUE_UTC_MINUTES = 3 * 60
/** Processes that may end while they are at one step: the first end may be a machine that lost its power. */
const MOST_ENDED = 2
/** Users counted one by one after a process has ended at a step of users: at least as many as a step has. */
const ALONE = 200

/**
 * Counts the last closed days again from their events, and the users who were active since the last one began with all
 * their sessions; figures that differ are told of and put right.
 */
export function createAuditJob({
  store,
  siteId,
  days,
  telemetry,
}: {
  store: Pick<Store, 'auditDay' | 'auditUsers' | 'auditTotals' | 'totals'> & {
    moving: Pick<MovingStore, 'mark' | 'setMark'>
  }
  siteId: string
  /** How many, the last one included: late events change days that are long over. */
  days: number
  telemetry: Counting
}): Job {
  return {
    name: 'audit',
    siteId,
    dueUtcMinutes: DUE_UTC_MINUTES,
    catchUpDays: 1,
    async run({ day: lastDay, site, signal }) {
      const window = Array.from({ length: days }, (_, back) => addDays(lastDay, -back))
      const progress = await openAuditProgress(store.moving, { siteId, night: lastDay, signal })
      const common = { store, siteId, telemetry, signal }
      // Days are counted with the help of the rows of users and sessions, which are to be right first.
      const parts = ['users', 'totals', ...window]
      const first = Math.max(0, parts.indexOf(progress.from?.part ?? ''))
      try {
        for (const part of parts.slice(first)) {
          if (part === 'users') await auditUsers({ ...common, since: dayStart(site.timeZone, lastDay), progress })
          else await auditPart({ ...common, part, progress })
        }
      } catch (error) {
        // A store that is away says so by the error itself.
        await progress.rest().catch(() => {})
        throw error
      }
      await progress.done(window)
    },
  }
}

type Counting = Pick<Telemetry, 'log' | 'counters'>

async function auditUsers({
  store,
  telemetry,
  siteId,
  since,
  progress,
  signal,
}: {
  store: Pick<Store, 'auditUsers'>
  siteId: string
  since: number
  telemetry: Counting
  progress: AuditProgress
  signal: AbortSignal
}): Promise<void> {
  const { log, counters } = telemetry
  const from = progress.from?.part === 'users' ? progress.from : { after: null, alone: 0, ended: 0 }
  let { after, alone, ended } = from
  for (let isMore = true; isMore; isMore = after !== null) {
    signal.throwIfAborted()
    // Of the users of a step it is not known which was too much.
    if (ended > 0 && alone === 0) alone = ALONE
    const isPassedOver = ended >= MOST_ENDED
    await progress.begin({ part: 'users', after, alone, ended })
    const one = isPassedOver ? 'pass over' : alone > 0 ? 'count' : undefined
    const step: UsersAudit = await store.auditUsers({ siteId, since, after, mend: true, one, signal })
    if (isPassedOver) tellPassedOver(telemetry, { site: siteId, users: step.users }, 'a user')
    after = step.next
    alone = Math.max(0, alone - 1)
    // Whoever of them ends the process alone is known.
    ended = alone > 0 ? MOST_ENDED - 1 : 0
    // The log has no ids of users.
    const about = { site: siteId, differences: step.differences.slice(0, 20).map(({ userId: _, ...each }) => each) }
    if (step.differences.length > 0) {
      counters.auditMismatches += new Set(step.differences.map(({ userId }) => userId)).size
      log.error(about, told(step.verdict, 'figures of users'))
    }
    if (step.verdict === 'busy')
      log.warn(about, 'some users could not be audited: their figures changed again and again')
  }
}

/** The totals or a day, unless they have ended too many processes. */
async function auditPart({
  part,
  progress,
  ...common
}: {
  part: string
  store: Pick<Store, 'auditDay' | 'auditTotals' | 'totals'>
  siteId: string
  telemetry: Counting
  progress: AuditProgress
  signal: AbortSignal
}): Promise<void> {
  const { store, siteId, telemetry, signal } = common
  signal.throwIfAborted()
  const about = { site: siteId, ...(part !== 'totals' && { day: part }) }
  if (progress.passedOver.has(part)) {
    telemetry.log.warn(about, 'a day is still passed over by the audit')
    return
  }
  const ended = progress.from?.part === part ? progress.from.ended : 0
  if (ended >= MOST_ENDED) {
    if (part !== 'totals') progress.passOver(part)
    tellPassedOver(telemetry, about, part === 'totals' ? 'the totals' : 'a day')
    return
  }
  await progress.begin({ part, after: null, alone: 0, ended })
  if (part === 'totals') return auditTotals(common)
  const { firstDay } = await store.totals(siteId)
  if (firstDay !== null && part >= firstDay) await auditDay({ ...common, day: part, mend: true })
}

function tellPassedOver({ log, counters }: Counting, about: object, what: string): void {
  counters.auditMismatches += 1
  log.error(about, `${what} passed over by the audit: the process ended each time it was counted`)
}

async function auditTotals({
  store,
  telemetry: { log, counters },
  siteId,
  signal,
}: {
  store: Pick<Store, 'auditTotals'>
  siteId: string
  telemetry: Counting
  signal: AbortSignal
}): Promise<void> {
  const { verdict, lostUsers, differences } = await store.auditTotals({ siteId, mend: true, signal })
  if (verdict !== 'different' && verdict !== 'mended') return
  counters.auditMismatches += 1
  log.error({ site: siteId, lostUsers, differences }, told(verdict, 'totals'))
}

function told(verdict: string, what: string): string {
  return verdict === 'different'
    ? `${what} differ from their events`
    : `${what} differed from their events and were put right`
}

/** Audits one day and tells of it. */
async function auditDay({
  store,
  telemetry: { log, counters },
  ...query
}: {
  store: Pick<Store, 'auditDay'>
  siteId: string
  day: string
  mend: boolean
  telemetry: Counting
  signal?: AbortSignal
}): Promise<void> {
  const { verdict, differences } = await store.auditDay(query)
  const about = { site: query.siteId, day: query.day, differences: differences.slice(0, 20) }
  if (verdict === 'different' || verdict === 'mended') {
    counters.auditMismatches += 1
    log.error(about, told(verdict, 'figures'))
  } else if (verdict === 'busy')
    log.warn(about, 'a day could not be audited: it changed again and again, or a batch stands')
}
