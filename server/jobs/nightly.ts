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
  // One that only takes events leaves all of it to others.
  const runs = role !== 'ingest'
  const destination: Destination | null = runs && exports.url !== null ? await openDestination(exports.url, s3) : null
  /** What is done each night for a site; the months of all sites are dropped at once, with the first one. */
  function jobsOf(siteId: string): Job[] {
    const common = { store, siteId, clock: systemClock, log }
    const jobs: Job[] = []
    if (retentionMonths > 0 && siteId === defaultSiteId)
      jobs.push(createRetentionJob({ ...common, months: retentionMonths }))
    if (auditDays > 0) jobs.push(createAuditJob({ store, siteId, days: auditDays, telemetry }))
    if (destination) jobs.push(createExportJob({ ...common, destination, freshness, ...exports }))
    return jobs
  }
  const jobs = runs ? async () => (await store.sites()).flatMap(({ id }) => jobsOf(id)) : []
  const scheduler = createScheduler({ jobs, store, telemetry })
  return {
    ...scheduler,
    async close() {
      await scheduler.close()
      destination?.close()
    },
  }
}
