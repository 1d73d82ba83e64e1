import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dayNumber } from '../../../analysis/zones.ts'
import { differencesOf } from '../../day-figures.ts'
import { HOUR_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../../sample-events.ts'
import type { StoredEvent } from '../../store.ts'
import { Database } from '../database.ts'
import { type SiteRow, storedDay } from '../day-rows.ts'
import { migrate } from '../migrate.ts'
import { saveSite } from '../sites.ts'
import { testFolder } from '../test-folder.ts'
import { insertBatches } from '../write/insert-batch.ts'
import { Known } from '../write/known.ts'
import { packBatch } from '../write/pack.ts'
import { auditDay, mendDay } from './audit-day.ts'
import { auditTotals, mendTotals } from './audit-totals.ts'
import { auditUsers, countUser, mendUser } from './audit-users.ts'
import { countDay } from './count-day.ts'

const newFolder = testFolder()
const day = new Date(NOON).toISOString().slice(0, 10)
const USERS = 40

/** Users who come back day after day, some in sessions over midnight, with orders. */
async function shop() {
  const db = await Database.open(join(await newFolder(), 'veritas.db'))
  migrate(db)
  const siteId = saveSite(db, sampleSite({ timeZone: 'UTC' })).id
  const insert = (...events: StoredEvent[]) => insertBatches(db, [packBatch(sampleBatch(...events))])[0]!
  const event = (n: number, hours: number) =>
    sampleEvent({ siteId, userId: `u${n}`, sessionId: `s${n % 3}`, occurredAt: NOON + hours * HOUR_MS })
  insert(
    ...Array.from({ length: USERS }, (_, n) => [event(n, -24 * (n % 4)), event(n, 0), event(n, 13)]).flat(),
    ...Array.from({ length: 10 }, (_, n) => samplePurchase({ siteId, userId: `u${n}` }, { orderId: `o${n}` })),
  )
  const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites')!
  const dayNo = dayNumber(day)
  return { db, siteId, site, dayNo, insert, event, query: { siteId, day } }
}

describe('the audit of a day', () => {
  it('counts the same in whatever steps', async () => {
    const { db, site, dayNo } = await shop()
    const stored = db.read(() => storedDay(db, site, dayNo))
    expect(stored.users).toBe(USERS)
    for (const stepEvents of [1, 7, 50, 100_000])
      expect(differencesOf(stored, countDay(db, site, dayNo, stepEvents)), `${stepEvents}`).toEqual([])
    db.close()
  })

  it('puts a count in its place only while the figures are those that it was compared with', async () => {
    const { db, dayNo, query, insert, event } = await shop()
    db.run('UPDATE days SET events = events + 5 WHERE day_no = ?', dayNo)
    const { figures } = auditDay(db, query)
    insert(event(1, 1))
    expect(mendDay(db, { ...query, figures: figures! })).toBe(false)
    expect(auditDay(db, query).differences).toEqual([
      { figure: 'events', stored: expect.any(Number), counted: expect.any(Number) },
    ])
    expect(mendDay(db, { ...query, figures: auditDay(db, query).figures! })).toBe(true)
    expect(auditDay(db, query).verdict).toBe('equal')
    db.close()
  })
})

describe('the audit of users', () => {
  it('puts rows in their place only while they are those that were counted', async () => {
    const { db, siteId, insert, event } = await shop()
    db.run("UPDATE users SET events = events + 5 WHERE user_id = 'u1'")
    Known.of(db).forget()
    const about = { siteId, userId: 'u1' }
    const rows = countUser(db, about)!
    insert(event(1, 2))
    expect(mendUser(db, { ...about, rows })).toBe(false)
    expect(mendUser(db, { ...about, rows: countUser(db, about)! })).toBe(true)
    expect(countUser(db, about)).toBeNull()
    db.close()
  })

  it('takes no order away from a purchase that came meanwhile and is before it', async () => {
    const { db, siteId, insert } = await shop()
    db.run("DELETE FROM orders WHERE order_id = 'o1'")
    const about = { siteId, userId: 'u1' }
    const rows = countUser(db, about)!
    expect(rows.orders).toHaveLength(1)
    const first = { siteId, userId: 'u2', occurredAt: NOON - 100 * HOUR_MS, receivedAt: 1, seq: 1 }
    insert(samplePurchase(first, { orderId: 'o1' }))
    expect(mendUser(db, { ...about, rows })).toBe(false)
    db.close()
  })

  it('goes through all of them in steps', async () => {
    const { db, siteId } = await shop()
    const names: number[] = []
    let after: string | null = null
    do {
      const step = auditUsers(db, { siteId, since: 0, after })
      names.push(step.users)
      after = step.next
    } while (after !== null)
    expect(names.reduce((sum, users) => sum + users, 0)).toBe(USERS)
    db.close()
  })
})

describe('the audit of totals', () => {
  it('puts them right by what was wrong, whatever came in meanwhile', async () => {
    const { db, siteId, insert, event } = await shop()
    db.run('UPDATE sites SET events = events + 7, users = users - 1, last_at = last_at + 5')
    const { stored, counted } = auditTotals(db, { siteId })
    insert(event(USERS + 5, 20), event(1, 3))
    mendTotals(db, { siteId, stored: stored!, counted: counted! })
    expect(auditTotals(db, { siteId })).toMatchObject({ verdict: 'equal' })
    db.close()
  })
})
