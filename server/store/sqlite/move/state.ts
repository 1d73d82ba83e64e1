import type { Database } from '../database.ts'

/** Every batch that is stored gets the next number. */
export function writtenState(db: Database): { written: string; unfinished: number } {
  const row = db.get<{ last: number | null }>('SELECT max(batch_no) AS last FROM batches')
  return { written: String(row?.last ?? 0), unfinished: 0 }
}
