import { firstKeptMonth, monthName } from '../analysis/months.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Clock } from './clock.ts'
import type { Job } from './job.ts'

const DUE_UTC_MINUTES = 2 * 60

/** Drops the events of months that are older than the settings want them kept; one that was missed needs no other run. */
export function createRetentionJob({
  store,
  siteId,
  months,
  clock,
  log,
}: {
  store: Pick<Store, 'dropMonthsBefore'>
  /** Whose nights count; the events of every site are dropped. */
  siteId: string
  /** Whole months to keep beside the one that runs, at least one. */
  months: number
  clock: Clock
  log: Telemetry['log']
}): Job {
  return {
    name: 'retention',
    siteId,
    dueUtcMinutes: DUE_UTC_MINUTES,
    catchUpDays: 1,
    async run({ signal }) {
      const month = firstKeptMonth(clock.now(), months)
      if (month === null) return
      const dropped = await store.dropMonthsBefore(month, signal)
      if (dropped.length > 0)
        log.info({ months: dropped.map(monthName) }, 'old events were dropped; their figures stay')
    },
  }
}
