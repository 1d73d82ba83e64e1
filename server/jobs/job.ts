import type { Site } from '../../trpc/schema/common.ts'

/** Work that is done once for each day of a site that has closed. */
export interface Job {
  /** Such as "export". */
  name: string
  siteId: string
  /** When the last closed day falls due: minutes after midnight UTC. */
  dueUtcMinutes: number
  /** Days missed while no server ran that are still done, the last one counted. 1: the last one only. */
  catchUpDays: number
  /**
   * Does the work for one day. A day may be run again, after a failure or a crash: it must come to the same. It has to
   * end soon, by a throw, once the signal aborts: the server closes, or another process may have taken over.
   */
  run(run: JobRun): Promise<void>
}

export interface JobRun {
  /** YYYY-MM-DD in the site's zone; it has ended. */
  day: string
  site: Site
  signal: AbortSignal
}

/** The name of its lease and state in the store. */
export function jobKey({ name, siteId }: Pick<Job, 'name' | 'siteId'>): string {
  return `${name}:${siteId}`
}
