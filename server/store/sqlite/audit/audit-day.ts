import { dayNumber } from '../../../analysis/zones.ts'
import { differencesOf } from '../../day-figures.ts'
import type { DayFigures } from '../../figures.ts'
import type { DayAudit, DayQuery } from '../../store.ts'
import type { Database } from '../database.ts'
import { type SiteRow, saveDay, storedDay } from '../day-rows.ts'
import { countDay, isKept } from './count-day.ts'

/** Compares what the roll-ups say of a day with what its events come to, in one state of the store. */
export function auditDay(db: Database, query: DayQuery): DayAudit {
  return audit(db, query).answer
}

/** The same, and puts the count in the place of roll-ups that differ. Batches wait meanwhile. */
export function mendDay(db: Database, query: DayQuery): DayAudit {
  return db.write(() => {
    const { answer, site, counted } = audit(db, query)
    if (answer.verdict !== 'different' || !site || !counted) return answer
    saveDay(db, site, dayNumber(query.day), counted)
    return { ...answer, verdict: 'mended' }
  })
}

function audit(db: Database, { siteId, day }: DayQuery): { answer: DayAudit; site?: SiteRow; counted?: DayFigures } {
  const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
  const dayNo = dayNumber(day)
  if (!site || !isKept(db, site, dayNo)) return { answer: { verdict: 'not kept', differences: [] } }
  const counted = countDay(db, site, dayNo)
  const differences = differencesOf(storedDay(db, site, dayNo), counted)
  return { answer: { verdict: differences.length === 0 ? 'equal' : 'different', differences }, site, counted }
}
