import { existsSync, renameSync } from 'node:fs'
import { AppError } from '../../errors.ts'
import { needOf, type PutBack, type StoreState } from '../steps.ts'
import type { StoredEvent } from '../store.ts'
import { keptCopies } from './copies.ts'
import { Database } from './database.ts'
import { formatOf } from './format.ts'
import { leaveWalMode } from './migrate.ts'
import { sqliteSteps } from './migrations/steps.ts'
import { type ScanPlace, scan } from './read/scan.ts'

/** What this program would do to a store. */
export async function sqliteState(path: string): Promise<StoreState> {
  const db = await Database.open(path)
  try {
    const { format, oldestReader } = db.read(() => formatOf(db))
    const [copy] = keptCopies(path)
    return {
      format,
      oldestReader,
      known: sqliteSteps.length,
      need: needOf(sqliteSteps, { format, oldestReader }),
      copy: copy ? { at: copy.path, format: copy.format, madeAt: copy.madeAt } : null,
    }
  } finally {
    db.close()
  }
}

/**
 * Puts the copy of before the last change in the place of a store that nobody has open, and the store aside. AppError
 * not_found without a copy, unavailable while another program has the store open.
 */
export async function putBackSqlite(path: string): Promise<PutBack> {
  const [copy] = keptCopies(path)
  if (!copy) throw new AppError('not_found', `There is no copy beside ${path}: no step has changed it of late.`)
  const db = await Database.open(path)
  let format: number
  try {
    // All of it is one file then, and nobody else has it open.
    leaveWalMode(db, 'the copy is put back')
    format = formatOf(db).format
  } finally {
    db.close()
  }
  const aside = freeName(`${path}.after-${format}`)
  renameSync(path, aside)
  renameSync(copy.path, path)
  return { format: copy.format, madeAt: copy.madeAt, aside }
}

/** Pages of the events that a store has and an older copy of it has not: rows of months are only ever added. */
export async function* eventsSince(path: string, copyPath: string): AsyncGenerator<StoredEvent[]> {
  const [db, copy] = [await Database.open(path), await Database.open(copyPath)]
  try {
    const copied = new Set(copy.values('month', 'months'))
    for (const siteId of db.values('id', 'sites'))
      for (const month of db.values('month', 'months')) {
        const last = copied.has(month) ? Number(copy.values('coalesce(max(event_no), 0)', `events_${month}`)[0]) : 0
        let place: ScanPlace | null = { month: Number(month), eventNo: last }
        while (place && place.month === month) {
          const { events, next }: ReturnType<typeof scan> = scan(db, { siteId: String(siteId), place })
          if (events.length > 0) yield events
          place = next
        }
      }
  } finally {
    db.close()
    copy.close()
  }
}

function freeName(wanted: string): string {
  let name = wanted
  for (let count = 2; existsSync(name); count++) name = `${wanted}-${count}`
  return name
}
