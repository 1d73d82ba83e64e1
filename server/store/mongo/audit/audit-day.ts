import { setTimeout as sleep } from 'node:timers/promises'
import { monthStart } from '../../../analysis/months.ts'
import { dayNumber } from '../../../analysis/zones.ts'
import { differencesOf } from '../../day-figures.ts'
import { dayWindow } from '../../day-window.ts'
import type { DayAudit, EventKeeping } from '../../store.ts'
import type { Collections } from '../collections.ts'
import { dayFiguresOf } from '../day-row.ts'
import { keptFrom } from '../retention.ts'
import { dayRowId } from '../row-id.ts'
import type { DayRow } from '../rows.ts'
import { holdHead, readHead } from '../write/head.ts'
import { type AuditedDay, countDay } from './count-day.ts'
import { mendDay } from './mend-day.ts'

/** Counts that late events of the day may spoil. */
const TRIES = 5
const REST_MS = 200
/** For a fold that is being applied, which others may have to take over. */
const STILL_TIMEOUT_MS = 3000
const STILL_MS = 5
/** For batches that had begun while the events were counted. */
const BATCHES_TIMEOUT_MS = 15_000

export type AuditQuery = Parameters<EventKeeping['auditDay']>[0]

/**
 * Events appear before the figures have them, and nothing stops them from coming. What makes a difference certain: the
 * day's row is the same before and after, and every batch whose events may have been seen was folded in between, so
 * none of them is of this day or changes what counts on it. `settle` folds what is finished.
 */
export async function auditDay(
  rows: Collections,
  settle: () => Promise<void>,
  { siteId, day, mend, signal }: AuditQuery,
  batchesTimeoutMs = BATCHES_TIMEOUT_MS,
): Promise<DayAudit> {
  const site = await rows.sites.findOne({ _id: siteId })
  const firstMonth = await keptFrom(rows)
  const dayNo = dayNumber(day)
  if (!site || (firstMonth > 0 && dayWindow(site.timeZone, dayNo).from < monthStart(firstMonth)))
    return { verdict: 'not kept', differences: [] }
  const audited: AuditedDay = { siteId, zone: site.timeZone, dayNo, firstMonth, ...(signal && { signal }) }
  const rowId = dayRowId(siteId, dayNo)
  for (let tries = 1; ; tries++) {
    await settle()
    const before = await settledRow(rows, rowId)
    const counted = await countDay(rows, audited)
    const differences = before === 'changing' ? [] : differencesOf(dayFiguresOf(before), counted)
    if (before !== 'changing' && differences.length === 0) return { verdict: 'equal', differences }
    if (!(await batchesEnded(rows, settle, batchesTimeoutMs, signal))) return { verdict: 'busy', differences }
    const after = await settledRow(rows, rowId)
    if (before !== 'changing' && after !== 'changing' && before?.fold === after?.fold) {
      if (!mend) return { verdict: 'different', differences }
      if (await mendDay(rows, { rowId, fold: before?.fold ?? null, counted })) return { verdict: 'mended', differences }
    }
    if (tries === TRIES) return { verdict: 'busy', differences }
    await sleep(REST_MS, undefined, { signal })
  }
}

/** The row in a state in which the ledger says which batches it has: no fold is applied while it is read. */
async function settledRow(rows: Collections, rowId: string): Promise<DayRow | null | 'changing'> {
  const release = await holdHead(rows)
  try {
    const deadline = performance.now() + STILL_TIMEOUT_MS
    for (;;) {
      const before = await readHead(rows)
      const row = await rows.days.findOne({ _id: rowId })
      const after = await readHead(rows)
      if (before.phase !== 'apply' && after.phase !== 'apply' && before.applied === after.applied) return row
      if (performance.now() > deadline) return 'changing'
      await sleep(STILL_MS)
    }
  } finally {
    await release()
  }
}

/** Waits for the batches that are begun by now; false when one of them does not come to its end. */
async function batchesEnded(
  rows: Collections,
  settle: () => Promise<void>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const ids = async (filter: object) =>
    (await rows.ledger.find({ ...filter, state: { $in: ['prep', 'done'] } }, { projection: { _id: 1 } }).toArray()).map(
      (row) => row._id,
    )
  const deadline = performance.now() + timeoutMs
  let open = await ids({})
  while (open.length > 0) {
    if (performance.now() > deadline) return false
    await settle()
    open = await ids({ _id: { $in: open } })
    if (open.length > 0) await sleep(REST_MS / 4, undefined, { signal })
  }
  return true
}
