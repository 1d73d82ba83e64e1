import type { Site } from '../../../trpc/schema/common.ts'
import { isSameClock, isZone } from '../../analysis/zones.ts'
import { AppError } from '../../errors.ts'
import { canRecount, recountDays } from './change-zone.ts'
import type { Database } from './database.ts'

interface SiteRow {
  site_no: number
  id: string
  name: string
  time_zone: string
  currency: string
  events: number
}

export function site(db: Database, siteId: string): Site | null {
  const row = db.get<SiteRow>('SELECT * FROM sites WHERE id = ?', siteId)
  return row ? toSite(row) : null
}

export function allSites(db: Database): Site[] {
  return db.all<SiteRow>('SELECT * FROM sites ORDER BY id').map(toSite)
}

function toSite({ id, name, time_zone: timeZone, currency }: SiteRow): Site {
  return { id, name, timeZone, currency }
}

/** The zone that saveSite would refuse to change. */
export function fixedZone(
  db: Database,
  { siteId, recountUpTo }: { siteId: string; recountUpTo: number },
): string | null {
  const row = db.get<SiteRow>('SELECT * FROM sites WHERE id = ?', siteId)
  return row && isZoneFixed(db, row, recountUpTo) ? row.time_zone : null
}

function isZoneFixed(db: Database, { events }: SiteRow, recountUpTo: number): boolean {
  return events > 0 && !canRecount(db, events, recountUpTo)
}

export function saveSite(db: Database, { id, name, timeZone, currency }: Site, recountUpTo = 0): Site {
  if (!isZone(timeZone)) throw new AppError('invalid_input', `${timeZone} is not a time zone.`, { field: 'timeZone' })
  return db.write(() => {
    const stored = db.get<SiteRow>('SELECT * FROM sites WHERE id = ?', id)
    const isOther = stored !== undefined && stored.events > 0 && !isSameClock(stored.time_zone, timeZone)
    if (isOther && isZoneFixed(db, stored, recountUpTo))
      throw new AppError(
        'conflict',
        `The time zone cannot change any more: events are counted by the days of ${stored.time_zone}.`,
        { field: 'timeZone' },
      )
    db.run(
      `INSERT INTO sites (id, name, time_zone, currency) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone, currency = excluded.currency`,
      id,
      name,
      timeZone,
      currency,
    )
    if (isOther) recountDays(db, { site_no: stored.site_no, time_zone: timeZone })
    return { id, name, timeZone, currency }
  })
}
