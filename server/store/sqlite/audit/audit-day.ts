import { dayNumber } from '../../../analysis/zones.ts'
import { differencesOf } from '../../day-figures.ts'
import type { DayFigures } from '../../figures.ts'
import type { DayAudit, DayQuery } from '../../store.ts'
import type { Database } from '../database.ts'
import { type SiteRow, saveDay, storedDay } from '../day-rows.ts'
import { countDay, isKept } from './count-day.ts'

/** Counts that late events of the day may spoil. */
const TRIES = 5

export interface AuditedDay extends DayAudit {
  /** What the roll-ups say and what the events come to, where these differ. */
  figures?: { stored: DayFigures; counted: DayFigures }
}

/**
 * Compares what the roll-ups say of a day with what its events come to. No state of the store is held for as long as that
 * takes; every event of the day changes its figures, so figures that are the same before and after are of what was
 * counted.
 */
export function auditDay(db: Database, { siteId, day }: DayQuery): AuditedDay {
  const dayNo = dayNumber(day)
  const stored = () =>
    db.read(() => {
      const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
      return site && isKept(db, site, dayNo) ? { site, figures: storedDay(db, site, dayNo) } : null
    })
  let before = stored()
  for (let tries = 0; before; tries++) {
    if (tries === TRIES) return { verdict: 'busy', differences: [] }
    const counted = countDay(db, before.site, dayNo)
    const differences = differencesOf(before.figures, counted)
    const after = stored()
    if (after && differencesOf(before.figures, after.figures).length === 0)
      return differences.length === 0
        ? { verdict: 'equal', differences }
        : { verdict: 'different', differences, figures: { stored: before.figures, counted } }
    before = after
  }
  return { verdict: 'not kept', differences: [] }
}

/** Puts the count in the place of what the roll-ups say. False when they say something else by now. */
export function mendDay(
  db: Database,
  { siteId, day, figures }: DayQuery & { figures: { stored: DayFigures; counted: DayFigures } },
): boolean {
  return db.write(() => {
    const dayNo = dayNumber(day)
    const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
    if (!site || differencesOf(storedDay(db, site, dayNo), figures.stored).length > 0) return false
    saveDay(db, site, dayNo, figures.counted)
    return true
  })
}
