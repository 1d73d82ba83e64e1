import type { Freshness } from '../../trpc/schema/common.ts'
import { addDays, dayStart } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import type { Clock } from '../jobs/clock.ts'
import type { Job, JobRun } from '../jobs/job.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { type DayExport, type ExportParts, exportDay } from './export-day.ts'

export interface ExportJobParts extends Omit<ExportParts, 'now'> {
  siteId: string
  dueUtcMinutes: number
  /** Days before the closed one that are exported again when late events changed them. */
  lateDays: number
  clock: Clock
  log: Telemetry['log']
}

export const EXPORT_JOB = 'export'
const CATCH_UP_DAYS = 366
/** How long a day may be held up by events of it that wait in the log; then it is exported without them. */
const PATIENCE_MS = 10 * 60_000

/** The export of each closed day, and of the days before it that have changed since. */
export function createExportJob({ siteId, dueUtcMinutes, lateDays, clock, log, ...rest }: ExportJobParts): Job {
  const parts: ExportParts = { ...rest, now: clock.now }

  async function run({ day, site, signal }: JobRun): Promise<void> {
    await waitUntilStored(rest.freshness, dayStart(site.timeZone, addDays(day, 1)), clock, signal)
    await exportIfKept({ site, day, when: 'needed', signal })
    for (let late = 1; late <= lateDays; late++)
      await exportIfKept({ site, day: addDays(day, -late), when: 'changed', signal })
  }

  /** A day whose events are gone would hold up all days after it. */
  async function exportIfKept(wanted: DayExport): Promise<void> {
    try {
      const manifest = await exportDay(parts, wanted)
      if (manifest) log.info({ day: manifest.day, events: manifest.events }, 'day exported')
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'conflict')) throw error
      log.error({ err: error, day: wanted.day }, 'day not exported')
    }
  }

  return { name: EXPORT_JOB, siteId, dueUtcMinutes, catchUpDays: CATCH_UP_DAYS, run }
}

async function waitUntilStored(
  freshness: () => Freshness,
  moment: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + PATIENCE_MS
  while (Date.parse(freshness().completeTo) < moment && clock.now() < deadline) {
    await clock.sleep(1000, signal)
    signal.throwIfAborted()
  }
}
