import type { DayFigures } from '../../figures.ts'
import type { Collections } from '../collections.ts'
import { dayRowOf } from '../day-row.ts'
import { foldOwn } from './own-fold.ts'

/** Puts a count in the place of a day's row. False when the row is not the one of `fold` any more. */
export async function mendDay(
  rows: Collections,
  { rowId, fold, counted }: { rowId: string; fold: number | null; counted: DayFigures },
): Promise<boolean> {
  return foldOwn(rows, async (next, rows) => {
    const stored = await rows.days.findOne({ _id: rowId }, { projection: { fold: 1 } })
    if ((stored?.fold ?? null) !== fold) return null
    if (!isEmpty(counted)) return [{ into: 'days', isNew: fold === null, row: dayRowOf(rowId, next, counted) }]
    // A day without anything has no row.
    return [{ into: 'gone', from: 'days', row: { _id: rowId } }]
  })
}

function isEmpty({ events, sessions }: DayFigures): boolean {
  return events === 0 && sessions === 0
}
