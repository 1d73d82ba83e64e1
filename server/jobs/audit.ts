import { addDays } from '../analysis/zones.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Job } from './job.ts'

const DUE_UTC_MINUTES = 3 * 60

/** Counts the last closed days again from their events; figures that differ are told of and put right. */
export function createAuditJob({
  store,
  siteId,
  days,
  telemetry,
}: {
  store: Pick<Store, 'auditDay' | 'totals'>
  siteId: string
  /** How many, the last one included: late events change days that are long over. */
  days: number
  telemetry: Pick<Telemetry, 'log' | 'counters'>
}): Job {
  return {
    name: 'audit',
    siteId,
    dueUtcMinutes: DUE_UTC_MINUTES,
    catchUpDays: 1,
    async run({ day: lastDay, signal }) {
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

/** Audits one day and tells of it. Returns whether its figures were right. */
async function auditDay({
  store,
  telemetry: { log, counters },
  ...query
}: {
  store: Pick<Store, 'auditDay'>
  siteId: string
  day: string
  mend: boolean
  telemetry: Pick<Telemetry, 'log' | 'counters'>
  signal?: AbortSignal
}): Promise<boolean> {
  const { verdict, differences } = await store.auditDay(query)
  const about = { site: query.siteId, day: query.day, differences: differences.slice(0, 20) }
  if (verdict === 'different' || verdict === 'mended') {
    counters.auditMismatches += 1
    log.error(about, verdict === 'mended' ? 'figures differed from their events and were put right' : 'figures differ')
  } else if (verdict === 'busy')
    log.warn(about, 'a day could not be audited: it changed again and again, or a batch stands')
  return verdict === 'equal' || verdict === 'not kept'
}
