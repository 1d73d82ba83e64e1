import { join } from 'node:path'
import { expect, it } from 'vitest'
import { HOUR_MS, NOON, sampleBatch, sampleEvent, sampleSite } from '../../sample-events.ts'
import { Database } from '../database.ts'
import { migrate } from '../migrate.ts'
import { saveSite } from '../sites.ts'
import { testFolder } from '../test-folder.ts'
import { insertBatches } from '../write/insert-batch.ts'
import { packBatch } from '../write/pack.ts'
import { type ScanPlace, scan } from './scan.ts'

const newFolder = testFolder()

it('gives each event of a range once in steps, also of one user with very many and of very many at one moment', async () => {
  const db = await Database.open(join(await newFolder(), 'veritas.db'))
  migrate(db)
  const siteId = saveSite(db, sampleSite()).id
  const at = (userId: string, count: number, occurredAt: (n: number) => number, seq?: number) =>
    Array.from({ length: count }, (_, n) =>
      sampleEvent({ siteId, userId, occurredAt: occurredAt(n), ...(seq !== undefined && { seq }) }),
    )
  const inside = [
    ...at('busy', 4500, (n) => NOON + n),
    ...at('tied', 4500, () => NOON + 5, 7),
    ...Array.from({ length: 300 }, (_, n) => at(`user-${n}`, 2, () => NOON + n)).flat(),
  ]
  const around = ['busy', 'tied', 'other'].flatMap((userId) => at(userId, 8000, (n) => NOON - HOUR_MS - n))
  insertBatches(db, [packBatch(sampleBatch(...around, ...inside))])
  const found: string[] = []
  let place: ScanPlace | null = null
  do {
    const step: ReturnType<typeof scan> = scan(db, { siteId, range: { from: NOON, to: NOON + HOUR_MS }, place })
    expect(step.events.length).toBeLessThanOrEqual(2000)
    found.push(...step.events.map(({ eventId }) => eventId))
    place = step.next
  } while (place)
  expect(found.sort()).toEqual(inside.map(({ eventId }) => eventId).sort())
  db.close()
})
