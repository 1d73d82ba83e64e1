import { linkSync, renameSync, statSync } from 'node:fs'
import { AppError } from '../../errors.ts'
import { type KeepEvents, needOf, type PutBack, type StoreState } from '../steps.ts'
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
 * Puts the copy of before the last change in the place of a store that nobody has open, and the store aside. The events
 * that only the store has are given to `keep` first. May stop anywhere and be run again: there is a store at every moment.
 * AppError not_found without a copy, unavailable while another program has the store open.
 */
export async function putBackSqlite(path: string, keep: KeepEvents): Promise<PutBack> {
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
  for await (const events of eventsSince(path, copy.path)) await keep(events)
  const aside = asideOf(path, `${path}.after-${format}`)
  renameSync(copy.path, path)
  return { format: copy.format, madeAt: copy.madeAt, aside }
}

/** Pages of the events that a store has and an older copy of it has not: rows of months are only ever added. */
async function* eventsSince(path: string, copyPath: string): AsyncGenerator<StoredEvent[]> {
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

/** Gives the store another name beside its own, which it keeps until the copy takes it. */
function asideOf(path: string, wanted: string): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}-${count}`
    try {
      linkSync(path, name)
      return name
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Of a try that was cut short.
      if (code === 'EEXIST' && statSync(name).ino === statSync(path).ino) return name
      if (code === 'EEXIST') continue
      // A file system without second names.
      renameSync(path, name)
      return name
    }
  }
}
