import { addDays, dayStart } from '../analysis/zones.ts'
import type { Store, UsersAudit } from '../store/store.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Job } from './job.ts'

const DUE_UTC_MINUTES = 3 * 60

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
  store: Pick<Store, 'auditDay' | 'auditUsers' | 'auditTotals' | 'totals'>
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
      // Days are counted with the help of the rows of users and sessions, which are to be right first.
      const since = dayStart(site.timeZone, lastDay)
      await auditUsers({ store, siteId, since, telemetry, signal })
      await auditTotals({ store, siteId, telemetry, signal })
      const { firstDay } = await store.totals(siteId)
      for (
        let day = lastDay;
        firstDay !== null && day >= firstDay && day > addDays(lastDay, -days);
        day = addDays(day, -1)
      ) {
        signal.throwIfAborted()
        await auditDay({ store, siteId, day, mend: true, telemetry, signal })
      }
    },
  }
}

type Counting = Pick<Telemetry, 'log' | 'counters'>

async function auditUsers({
  store,
  telemetry: { log, counters },
  siteId,
  since,
  signal,
}: {
  store: Pick<Store, 'auditUsers'>
  siteId: string
  since: number
  telemetry: Counting
  signal: AbortSignal
}): Promise<void> {
  for (let after: string | null = null, isMore = true; isMore; isMore = after !== null) {
    signal.throwIfAborted()
    const step: UsersAudit = await store.auditUsers({ siteId, since, after, mend: true, signal })
    after = step.next
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
