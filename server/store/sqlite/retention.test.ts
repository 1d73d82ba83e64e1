import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addMonths, monthOf, monthStart } from '../../analysis/months.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../sample-events.ts'
import type { StoredEvent } from '../store.ts'
import { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { totals } from './read/overview.ts'
import { scan } from './read/scan.ts'
import { dropMonth, eventMonths, forgetIds, type IdPlace, keepFrom } from './retention.ts'
import { saveSite } from './sites.ts'
import { testFolder } from './test-folder.ts'
import { insertBatches } from './write/insert-batch.ts'
import { packBatch } from './write/pack.ts'

const newFolder = testFolder()
const KEPT = addMonths(monthOf(Date.now()), -2)
const MONTHS = [addMonths(KEPT, -2), addMonths(KEPT, -1), KEPT]

async function oldShop(ofMonth = 3) {
  const db = await Database.open(join(await newFolder(), 'veritas.db'))
  migrate(db)
  const siteId = saveSite(db, sampleSite()).id
  const events = MONTHS.flatMap((month) =>
    Array.from({ length: ofMonth }, (_, n) => sampleEvent({ siteId, occurredAt: monthStart(month) + n })),
  )
  insertBatches(db, [packBatch(sampleBatch(...events))])
  const ids = () => db.get<{ ids: number }>('SELECT count(*) AS ids FROM event_ids')!.ids
  const insert = (...own: StoredEvent[]) => insertBatches(db, [packBatch(sampleBatch(...own))])[0]!
  return { db, siteId, events, ids, insert }
}

function insertOf(db: Database, siteId: string): number {
  return insertBatches(db, [packBatch(sampleBatch(sampleEvent({ siteId })))])[0]!.stored
}

describe('dropping months', () => {
  it('may stop after any of its steps: nothing is counted twice, and the next run goes on', async () => {
    const steps: ((db: Database) => unknown)[] = [
      (db) => keepFrom(db, KEPT),
      // Of each month: nobody looks for it, its events, its table.
      ...Array(6).fill(dropMonth),
      (db) => forgetIds(db, null),
    ]
    for (let done = 0; done <= steps.length; done++) {
      const { db, siteId, events, ids, insert } = await oldShop()
      const before = totals(db, siteId)
      for (const step of steps.slice(0, done)) step(db)
      const again = insert(...events)
      expect(again.fates.slice(0, 6), `${done} steps`).toEqual(Array(6).fill(done === 0 ? 'duplicate' : 'refused'))
      expect(again.fates.slice(6), `${done} steps`).toEqual(Array(3).fill('duplicate'))
      for (const step of steps) step(db)
      expect(eventMonths(db)).toEqual([{ month: KEPT, events: 3 }])
      expect(ids()).toBe(3)
      expect(totals(db, siteId)).toEqual(before)
      expect(dropMonth(db)).toBeNull()
      db.close()
    }
  })

  it('forgets ids in steps, so that batches get their turns', async () => {
    const { db, ids } = await oldShop(9000)
    keepFrom(db, KEPT)
    while (dropMonth(db) !== null);
    let steps = 0
    let place: IdPlace | null = null
    do {
      place = forgetIds(db, place)
      steps += 1
    } while (place)
    expect(steps).toBe(2)
    expect(ids()).toBe(9000)
    // Done once, it is not done again.
    db.run('UPDATE event_ids SET month = ?', MONTHS[0]!)
    expect(forgetIds(db, null)).toBeNull()
    expect(ids()).toBe(9000)
    db.close()
  })

  it('never goes back to months that are dropped', async () => {
    const { db } = await oldShop()
    keepFrom(db, KEPT)
    keepFrom(db, MONTHS[0]!)
    expect(dropMonth(db)).toEqual({ month: MONTHS[0], isGone: false })
    db.close()
  })

  it('deletes events in steps, so that batches get their turns, and shows none of a month that is going', async () => {
    const { db, siteId } = await oldShop(5000)
    const left = () => db.get<{ n: number }>(`SELECT count(*) AS n FROM events_${MONTHS[0]}`)!.n
    keepFrom(db, MONTHS[1]!)
    expect(dropMonth(db)).toEqual({ month: MONTHS[0], isGone: false })
    expect(eventMonths(db).map(({ month }) => month)).toEqual(MONTHS.slice(1))
    expect(scan(db, { siteId, range: { from: 0, to: monthStart(MONTHS[1]!) }, place: null }).events).toEqual([])
    const steps: number[] = []
    for (let step = dropMonth(db); !step?.isGone; step = dropMonth(db)) {
      steps.push(left())
      expect(insertOf(db, siteId)).toBe(1)
    }
    expect(steps).toEqual([3000, 1000, 0])
    expect(dropMonth(db)).toBeNull()
    db.close()
  })
})

describe('a batch that comes again when its ledger row is long gone', () => {
  it('is all duplicates and counts nothing', async () => {
    const { db, siteId, events } = await oldShop()
    const before = totals(db, siteId)
    const batch = packBatch({ id: 'old', events })
    expect(insertBatches(db, [batch])[0]).toMatchObject({ stored: 0, duplicate: 9 })
    db.run('DELETE FROM batches')
    expect(insertBatches(db, [batch])[0]).toMatchObject({ stored: 0, duplicate: 9 })
    expect(totals(db, siteId)).toEqual(before)
    db.close()
  })
})
