import type { Database } from '../database.ts'

/** The site's number; one that no row has for a site that does not exist, so that its answers are empty. */
export function siteNumber(db: Database, siteId: string): number {
  return db.get<{ site_no: number }>('SELECT site_no FROM sites WHERE id = ?', siteId)?.site_no ?? 0
}
