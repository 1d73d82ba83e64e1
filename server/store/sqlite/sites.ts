import type { Site } from '../../../trpc/schema/common.ts'
import { isSameClock, isZone } from '../../analysis/zones.ts'
import { AppError } from '../../errors.ts'
import type { Database } from './database.ts'

interface SiteRow {
  id: string
  name: string
  time_zone: string
  currency: string
  events: number
}

export function site(db: Database, siteId: string): Site | null {
  const row = db.get<SiteRow>('SELECT * FROM sites WHERE id = ?', siteId)
  return row ? { id: row.id, name: row.name, timeZone: row.time_zone, currency: row.currency } : null
}

export function saveSite(db: Database, { id, name, timeZone, currency }: Site): Site {
  if (!isZone(timeZone)) throw new AppError('invalid_input', `${timeZone} is not a time zone.`, { field: 'timeZone' })
  return db.write(() => {
    const stored = db.get<SiteRow>('SELECT * FROM sites WHERE id = ?', id)
    if (stored && stored.events > 0 && !isSameClock(stored.time_zone, timeZone))
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
    return { id, name, timeZone, currency }
  })
}
