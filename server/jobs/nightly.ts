import type { Freshness } from '../../trpc/schema/common.ts'
import type { Config } from '../config.ts'
import type { Destination } from '../export/destination.ts'
import { createExportJob } from '../export/job.ts'
import { openDestination } from '../export/open.ts'
import { defaultSiteId } from '../start/site.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createAuditJob } from './audit.ts'
import { systemClock } from './clock.ts'
import type { Job } from './job.ts'
import { createRetentionJob } from './retention.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'

interface NightlyParts {
  store: Store
  telemetry: Telemetry
  freshness: () => Freshness
}

/** What a server does once a day, by its settings: drop old months, recount closed days, export them. */
export async function openNightlyJobs(
  { retentionMonths, auditDays, exports, s3, role }: Config,
  { store, telemetry, freshness }: NightlyParts,
): Promise<Scheduler> {
  const { log } = telemetry
  const common = { store, siteId: defaultSiteId, clock: systemClock, log }
  // One that only takes events leaves all of it to others.
  const runs = role !== 'ingest'
  const destination: Destination | null = runs && exports.url !== null ? await openDestination(exports.url, s3) : null
  const jobs: Job[] = []
  if (runs && retentionMonths > 0) jobs.push(createRetentionJob({ ...common, months: retentionMonths }))
  if (runs && auditDays > 0) jobs.push(createAuditJob({ store, siteId: defaultSiteId, days: auditDays, telemetry }))
  if (destination) jobs.push(createExportJob({ ...common, destination, freshness, ...exports }))
  const scheduler = createScheduler({ jobs, store, telemetry })
  return {
    ...scheduler,
    async close() {
      await scheduler.close()
      destination?.close()
    },
  }
}
