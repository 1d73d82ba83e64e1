import { setTimeout as sleep } from 'node:timers/promises'
import { monthStart } from '../../../analysis/months.ts'
import { dayNumber } from '../../../analysis/zones.ts'
import { differencesOf } from '../../day-figures.ts'
import { dayWindow } from '../../day-window.ts'
import type { DayAudit, EventKeeping } from '../../store.ts'
import { afterFolds } from '../causal.ts'
import type { Collections } from '../collections.ts'
import { dayFiguresOf } from '../day-row.ts'
import { keptFrom } from '../retention.ts'
import { dayRowId } from '../row-id.ts'
import { type AuditedDay, countDay } from './count-day.ts'
import { mendDay } from './mend-day.ts'
import { mendRepetitions } from './mend-repetitions.ts'
import { batchesEnded, settled } from './settled.ts'

/** Counts that late events of the day may spoil. */
const TRIES = 5
const REST_MS = 200
/** For batches that had begun while the events were counted. */
export const BATCHES_TIMEOUT_MS = 15_000

export type AuditQuery = Parameters<EventKeeping['auditDay']>[0]

/**
 * Events appear before the figures have them, and nothing stops them from coming. What makes a difference certain: the
 * day's row is the same before and after, and every batch whose events may have been seen was folded in between, so
 * none of them is of this day or changes what counts on it. `settle` folds what is finished.
 */
export async function auditDay(
  rows: Collections,
  settle: () => Promise<void>,
  { siteId, day, mend, repetitions, signal }: AuditQuery,
  batchesTimeoutMs = BATCHES_TIMEOUT_MS,
): Promise<DayAudit> {
  const site = await rows.sites.findOne({ _id: siteId })
  const firstMonth = await keptFrom(rows)
  const dayNo = dayNumber(day)
  if (!site || (firstMonth > 0 && dayWindow(site.timeZone, dayNo).from < monthStart(firstMonth)))
    return { verdict: 'not kept', differences: [] }
  const audited: AuditedDay = { siteId, zone: site.timeZone, dayNo, firstMonth, ...(signal && { signal }) }
  if (mend && repetitions) await mendRepetitions(rows, settle, audited, batchesTimeoutMs)
  const rowId = dayRowId(siteId, dayNo)
  /** What came of one count; again when the day changed meanwhile. */
  const attempt = async (rows: Collections): Promise<DayAudit | { again: DayAudit['differences'] }> => {
    const row = () => rows.days.findOne({ _id: rowId })
    const before = await settled(rows, row)
    const counted = await countDay(rows, audited)
    const differences = before === 'changing' ? [] : differencesOf(dayFiguresOf(before), counted)
    if (before !== 'changing' && differences.length === 0) return { verdict: 'equal', differences }
    if (!(await batchesEnded(rows, settle, batchesTimeoutMs, signal))) return { verdict: 'busy', differences }
    const after = await settled(rows, row)
    if (before !== 'changing' && after !== 'changing' && before?.fold === after?.fold) {
      if (!mend) return { verdict: 'different', differences }
      if (await mendDay(rows, { rowId, fold: before?.fold ?? null, counted })) return { verdict: 'mended', differences }
    }
    return { again: differences }
  }
  for (let tries = 1; ; tries++) {
    await settle()
    const tried = await afterFolds(rows, attempt)
    if ('verdict' in tried) return tried
    if (tries === TRIES) return { verdict: 'busy', differences: tried.again }
    await sleep(REST_MS, undefined, { signal })
  }
}
