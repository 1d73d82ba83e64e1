import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAY_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../sample-events.ts'
import { Database } from '../database.ts'
import { migrate } from '../migrate.ts'
import { overview, totals } from '../read/overview.ts'
import { user } from '../read/users.ts'
import { saveSite } from '../sites.ts'
import { testFolder } from '../test-folder.ts'
import { insertBatches } from './insert-batch.ts'
import { packBatch } from './pack.ts'

const newFolder = testFolder()

async function open(): Promise<{ db: Database; siteId: string }> {
  const db = await Database.open(join(await newFolder(), 'veritas.db'))
  migrate(db)
  return { db, siteId: saveSite(db, sampleSite()).id }
}

/** The ledger's row is the last of a batch: everything else has been written by then. */
function failAtTheEnd(db: Database): () => void {
  const run = db.run.bind(db)
  db.run = (sql, ...values) => {
    if (sql.startsWith('INSERT INTO batches')) throw new Error('disk full')
    return run(sql, ...values)
  }
  return () => {
    db.run = run
  }
}

describe('a batch that fails at its end', () => {
  it('leaves nothing behind, neither in the file nor in memory', async () => {
    const { db, siteId } = await open()
    insertBatches(db, [packBatch(sampleBatch(sampleEvent({ siteId })))])
    const next = packBatch(sampleBatch(samplePurchase({ siteId }), samplePurchase({ siteId, userId: 'noah' })))
    const heal = failAtTheEnd(db)
    expect(() => insertBatches(db, [next])).toThrow('disk full')
    heal()
    expect(totals(db, siteId)).toMatchObject({ events: 1, users: 1 })
    expect(insertBatches(db, [next])[0]).toMatchObject({ stored: 2 })
    expect(user(db, { siteId, userId: 'lena' })).toMatchObject({ events: 2, sessions: 1, orders: 1 })
    expect(user(db, { siteId, userId: 'noah' })).toMatchObject({ events: 1, sessions: 1, orders: 0 })
    const november = overview(db, { siteId, from: '2026-11-01', to: '2026-11-30' })
    expect(november).toMatchObject({ events: 3, users: 2, sessions: 2, orders: 1 })
    db.close()
  })
})

describe('batches that are written together', () => {
  it('count as if they came one after the other', async () => {
    const { db, siteId } = await open()
    const shared = samplePurchase({ siteId })
    const batches = [
      sampleBatch(shared, sampleEvent({ siteId, occurredAt: NOON - DAY_MS })),
      sampleBatch(shared, sampleEvent({ siteId, occurredAt: NOON - 2 * DAY_MS })),
    ].map(packBatch)
    const outcomes = insertBatches(db, [...batches, batches[0]!])
    expect(outcomes.map((outcome) => outcome.fates)).toEqual([
      ['stored', 'stored'],
      ['duplicate', 'stored'],
      ['stored', 'stored'],
    ])
    const november = overview(db, { siteId, from: '2026-11-01', to: '2026-11-30' })
    expect(november).toMatchObject({ events: 3, users: 1, sessions: 1, orders: 1 })
    expect(november.days.map((day) => [day.day, day.events, day.sessions])).toEqual([
      ['2026-11-20', 1, 1],
      ['2026-11-21', 1, 0],
      ['2026-11-22', 1, 0],
    ])
    db.close()
  })
})
