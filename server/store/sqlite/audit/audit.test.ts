import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
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
import { findOrder } from '../write/order-rows.ts'
import { packBatch } from '../write/pack.ts'
import { auditDay, mendDay } from './audit-day.ts'
import { countTotals, lostUsers, mendTotals, totalsDifferences } from './audit-totals.ts'
import { auditUsers, countUser, mendUser } from './audit-users.ts'
import { countDay } from './count-day.ts'
import { mendRepetitions, wrongRepetitions } from './mend-repetitions.ts'

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
  /** In steps of so many users, with `between` after each but the last. */
  function counted(db: Database, siteId: string, stepUsers: number, between: () => void = () => {}) {
    for (let isFirst = true; ; isFirst = false) {
      const step = countTotals(db, { siteId, run: 'one', isFirst, stepUsers })
      if (step.state !== 'counting') return step
      between()
    }
  }
  function differences(step: ReturnType<typeof counted>) {
    return 'stored' in step ? totalsDifferences(step.stored, step.counted) : step.state
  }

  it('is exact in whatever steps, while events of old and new users come in', async () => {
    const { db, siteId, insert, event } = await shop()
    for (const stepUsers of [1, 3, 17, 1000]) {
      let n = 0
      const step = counted(db, siteId, stepUsers, () => {
        // Of users who were counted, of those who were not, earlier and later than all others, and of new ones.
        if (n++ < 12) insert(event(0, -1000 - n), event(n * 3, 30 + n), event(1000 * stepUsers + n, n))
      })
      expect(differences(step), `${stepUsers}`).toEqual([])
    }
    db.close()
  })

  it('finds what is wrong beside events that come in, and puts it right by that', async () => {
    const { db, siteId, insert, event } = await shop()
    db.run('UPDATE sites SET events = events + 7, users = users - 1, last_at = last_at + 5')
    let n = 0
    const step = counted(db, siteId, 5, () => void insert(event(n++, 3)))
    expect(differences(step)).toEqual([
      expect.objectContaining({ figure: 'total events' }),
      expect.objectContaining({ figure: 'total users' }),
      expect.objectContaining({ figure: 'total lastAt' }),
    ])
    insert(event(USERS + 5, 20), event(1, 3))
    if ('stored' in step) mendTotals(db, { siteId, stored: step.stored, counted: step.counted })
    expect(differences(counted(db, siteId, 1000))).toEqual([])
    db.close()
  })

  it('begins anew when rows of users are exchanged, another count begins, or a program writes that knows of none', async () => {
    const { db, siteId, insert, event } = await shop()
    const query = { siteId, run: 'one', stepUsers: 5 }
    const begun = () => expect(countTotals(db, { ...query, isFirst: true }).state).toBe('counting')
    const isLost = () => expect(countTotals(db, { ...query, isFirst: false })).toEqual({ state: 'lost' })
    begun()
    db.run("UPDATE users SET events = events + 5 WHERE user_id = 'u1'")
    Known.of(db).forget()
    expect(mendUser(db, { siteId, userId: 'u1', rows: countUser(db, { siteId, userId: 'u1' })! })).toBe(true)
    isLost()
    begun()
    countTotals(db, { ...query, run: 'two', isFirst: true })
    isLost()
    begun()
    db.run("INSERT INTO batches (id, outcome) VALUES ('of a release before', '{}')")
    isLost()
    begun()
    db.run("INSERT INTO batches (id, outcome) VALUES ('of another', '{}')")
    insert(event(1, 3))
    isLost()
    expect(countTotals(db, { ...query, siteId: 'nobody', isFirst: true })).toEqual({ state: 'no such site' })
    db.close()
  })

  it('finds users without a row in whatever steps', async () => {
    const { db } = await shop()
    db.run('DELETE FROM users WHERE user_no IN (1, 2, 3, 20, ?)', USERS)
    for (const stepUsers of [1, 2, 19, 1000]) {
      let lost = 0
      for (let after: number | null = 0; after !== null; ) {
        const step: ReturnType<typeof lostUsers> = lostUsers(db, { after, stepUsers })
        lost += step.lost
        after = step.next
      }
      expect(lost, `${stepUsers}`).toBe(5)
    }
    db.close()
  })
})

describe('the writer', () => {
  /** The statements of each time that nobody else may write. */
  function watch(db: Database): string[][] {
    const writes: string[][] = []
    let current: string[] | null = null
    const { write, prepare } = db
    vi.spyOn(db, 'write').mockImplementation(((work: () => unknown) => {
      current = []
      writes.push(current)
      try {
        return write.call(db, work)
      } finally {
        current = null
      }
    }) as Database['write'])
    vi.spyOn(db, 'prepare').mockImplementation((sql) => {
      current?.push(sql)
      return prepare.call(db, sql)
    })
    return writes
  }
  const ofEvents = /\bevents_\d{6}/

  it('is held for what is put in its place, and never while events or all users are counted', async () => {
    const { db, siteId, dayNo, query } = await shop()
    const writes = watch(db)
    db.run('UPDATE days SET events = events + 5 WHERE day_no = ?', dayNo)
    db.run("UPDATE users SET events = events + 5 WHERE user_id = 'u1'")
    db.run('UPDATE sites SET events = events + 7')
    const { figures } = auditDay(db, query)
    const about = { siteId, userId: 'u1' }
    const rows = countUser(db, about)!
    expect(auditUsers(db, { siteId, since: 0, after: null }).differences).not.toEqual([])
    lostUsers(db, { after: 0, stepUsers: 10 })
    expect(writes).toEqual([])

    expect(mendDay(db, { ...query, figures: figures! })).toBe(true)
    expect(mendUser(db, { ...about, rows })).toBe(true)
    expect(writes).toHaveLength(2)
    const before = writes.length
    let step = countTotals(db, { siteId, run: 'one', isFirst: true, stepUsers: 5 })
    while (step.state === 'counting') step = countTotals(db, { siteId, run: 'one', isFirst: false, stepUsers: 5 })
    expect(writes.length - before).toBeGreaterThanOrEqual(USERS / 5)
    if ('stored' in step) mendTotals(db, { siteId, stored: step.stored, counted: step.counted })
    expect(writes.flat().filter((sql) => ofEvents.test(sql))).toEqual([])
    // However many there are, a step is of a few statements.
    expect(Math.max(...writes.map((statements) => statements.length))).toBeLessThan(100)
    expect(auditDay(db, query).verdict).toBe('equal')
    expect(countUser(db, about)).toBeNull()
    db.close()
  })
})

describe('the repetitions that orders keep', () => {
  async function repeated() {
    const all = await shop()
    const { db, siteId, site, insert } = all
    // Each order came twice more, with another amount.
    const again = (revenue: number) =>
      insert(
        ...Array.from({ length: 10 }, (_, n) =>
          samplePurchase({ siteId, userId: `u${n}` }, { orderId: `o${n}`, revenue, currency: 'EUR' }),
        ),
      )
    again(7)
    again(8)
    const othersOf = (orderId: string) => findOrder(db, site.site_no, orderId)?.others
    const right = new Map(Array.from({ length: 10 }, (_, n) => [`o${n}`, othersOf(`o${n}`)]))
    return { ...all, again, othersOf, right }
  }

  it('are put right where they are wrong', async () => {
    const { db, siteId, query, othersOf, right } = await repeated()
    expect(right.get('o3')).toHaveLength(2)
    expect(wrongRepetitions(db, query)).toEqual([])
    db.run("UPDATE orders SET others = NULL WHERE order_id IN ('o3', 'o4')")
    const wrong = wrongRepetitions(db, query)
    expect(wrong.map(({ orderId }) => orderId).sort()).toEqual(['o3', 'o4'])
    expect(mendRepetitions(db, { siteId, wrong })).toBe(0)
    for (const [orderId, others] of right) expect([...othersOf(orderId)!].sort(), orderId).toEqual([...others!].sort())
    db.close()
  })

  it('are left as they are where an order has changed since it was read', async () => {
    const { db, siteId, query, othersOf, again } = await repeated()
    db.run("UPDATE orders SET others = NULL WHERE order_id = 'o3'")
    const wrong = wrongRepetitions(db, query)
    again(9)
    const now = othersOf('o3')
    expect(mendRepetitions(db, { siteId, wrong })).toBe(1)
    expect(othersOf('o3')).toEqual(now)
    expect(mendRepetitions(db, { siteId, wrong: wrongRepetitions(db, query) })).toBe(0)
    expect(othersOf('o3')).toHaveLength(3)
    db.close()
  })
})
