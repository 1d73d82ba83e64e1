import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { dayNumber } from '../../server/analysis/zones.ts'
import type { DayFigures } from '../../server/store/figures.ts'
import { auditDay } from '../../server/store/mongo/audit/audit-day.ts'
import { auditTotals } from '../../server/store/mongo/audit/audit-totals.ts'
import { auditUsers } from '../../server/store/mongo/audit/audit-users.ts'
import { mendDay } from '../../server/store/mongo/audit/mend-day.ts'
import { foldOwn } from '../../server/store/mongo/audit/own-fold.ts'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { dayRowId } from '../../server/store/mongo/row-id.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { claimTag } from '../../server/store/mongo/write/claims.ts'
import { newEvents } from '../../server/store/mongo/write/new-events.ts'
import { NOON, sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { Life, mortal } from './mortal.ts'
import { mongo } from './need.ts'

const DAY_MS = 86_400_000

describeWith(mongo, 'the audit of MongoDB', () => {
  const day = '2026-11-22'
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  /** A shop with a batch that stands half-way: its event is there, and in no figure. */
  async function halfWay() {
    const url = server.newDatabase()
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    await store.insertBatch(sampleBatch(sampleEvent({ siteId }), sampleEvent({ siteId, userId: 'noah' })))
    await store.totals(siteId)
    const client = new MongoClient(url)
    const rows = collectionsOf(client.db())
    const batch = sampleBatch(sampleEvent({ siteId, userId: 'late', occurredAt: NOON }))
    const begun = { _id: batch.id, state: 'prep' as const, begunAt: new Date() }
    await rows.ledger.insertOne(begun)
    for (const { row, month } of newEvents(batch).events) {
      await rows.claims.insertOne({ _id: row._id, batch: claimTag(begun), month })
      await rows.events(month).insertOne(row)
    }
    const close = () => Promise.all([store.close(), client.close()])
    return { url, store, rows, siteId, batch, query: { siteId, day, mend: true }, close }
  }

  it('takes no event for a difference whose batch is still to be counted', async () => {
    const { rows, store, siteId, query, batch, close } = await halfWay()
    const before = await rows.days.findOne({ _id: dayRowId(siteId, dayNumber(day)) })
    const found = await auditDay(rows, async () => {}, query, 300)
    expect(found.verdict).toBe('busy')
    expect(found.differences).toContainEqual({ figure: 'events', stored: 2, counted: 3 })
    expect(await rows.days.findOne({ _id: dayRowId(siteId, dayNumber(day)) })).toEqual(before)
    // It comes to its end like any other, and counts once.
    expect((await store.insertBatch(batch)).stored).toBe(1)
    expect((await store.overview({ siteId, from: day, to: day })).events).toBe(3)
    expect(await store.auditDay(query)).toEqual({ verdict: 'equal', differences: [] })
    await close()
  })

  it('counts again when the day has changed since', async () => {
    const { rows, store, siteId, query, batch, close } = await halfWay()
    let settled = 0
    const settle = async () => {
      settled += 1
      // After the first count.
      if (settled === 2) await store.insertBatch(batch).then(() => store.totals(siteId))
    }
    const found = await auditDay(rows, settle, { ...query, mend: false })
    expect(found).toEqual({ verdict: 'equal', differences: [] })
    expect(settled).toBeGreaterThan(2)
    expect((await store.overview({ siteId, from: day, to: day })).events).toBe(3)
    await close()
  })

  it('counts totals the same in whatever steps, and each user who lost a row once', async () => {
    const url = server.newDatabase()
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    const events = Array.from({ length: 24 }, (_, n) =>
      sampleEvent({ siteId, userId: `u${n % 12}`, sessionId: `s${n % 2}`, occurredAt: NOON + n }),
    )
    await store.insertBatch(sampleBatch(...events))
    await store.totals(siteId)
    const client = new MongoClient(url)
    const rows = collectionsOf(client.db())
    const audit = (stepRows: number, mend = false) => auditTotals(rows, async () => {}, { siteId, mend }, stepRows)
    for (const stepRows of [1, 5, 12, 1000])
      expect(await audit(stepRows), `${stepRows}`).toEqual({ verdict: 'equal', lostUsers: 0, differences: [] })
    await rows.totals.updateOne({ _id: siteId }, { $inc: { events: 7 } })
    const differences = [{ figure: 'total events', stored: 31, counted: 24 }]
    expect(await audit(5)).toEqual({ verdict: 'different', lostUsers: 0, differences })
    expect(await audit(5, true)).toEqual({ verdict: 'mended', lostUsers: 0, differences })
    expect(await audit(5)).toMatchObject({ verdict: 'equal' })
    const [first, , third] = await rows.users.find().sort({ _id: 1 }).toArray()
    await rows.users.deleteMany({ _id: { $in: [first!._id, third!._id] } })
    for (const stepRows of [1, 5, 1000])
      expect(await audit(stepRows), `${stepRows}`).toMatchObject({ verdict: 'different', lostUsers: 2 })
    await Promise.all([store.close(), client.close()])
  })

  it('puts nothing in the place of a row that a fold has written since', async () => {
    const { rows, store, siteId, close } = await halfWay()
    const rowId = dayRowId(siteId, dayNumber(day))
    const before = await rows.days.findOne({ _id: rowId })
    const counted: DayFigures = {
      events: 7,
      users: 1,
      sessions: 1,
      orderingSessions: 0,
      orders: 0,
      types: [],
      money: [],
      aside: [],
      hours: [],
      pairs: [],
    }
    for (const fold of [before!.fold - 1, null]) expect(await mendDay(rows, { rowId, fold, counted })).toBe(false)
    expect(await rows.days.findOne({ _id: rowId })).toEqual(before)
    expect((await rows.head.findOne({ _id: 'head' }))?.phase).toBe('idle')
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    expect((await store.overview({ siteId, from: day, to: day })).events).toBe(3)
    await close()
  })

  it('reads the events of the day alone, and the history of users of whom the rows know too little', async () => {
    const url = server.newDatabase()
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    const visits = [0, 1, 40].map((days) => sampleEvent({ siteId, userId: 'ana', occurredAt: NOON - days * DAY_MS }))
    await store.insertBatch(sampleBatch(...visits))
    await store.totals(siteId)
    const client = new MongoClient(url)
    const rows = collectionsOf(client.db())
    let histories = 0
    const events = (month: number) =>
      new Proxy(rows.events(month), {
        get(target, name) {
          if (name === 'aggregate') histories += 1
          const member: unknown = Reflect.get(target, name)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
    const audit = () => auditDay({ ...rows, events }, async () => {}, { siteId, day, mend: false })
    expect((await audit()).verdict).toBe('equal')
    expect(histories).toBe(0)
    await rows.users.deleteMany({})
    expect((await audit()).verdict).toBe('equal')
    expect(histories).toBeGreaterThan(0)
    await Promise.all([store.close(), client.close()])
  })

  it('that dies while it takes a row away leaves none that others believe in and that is not there', async () => {
    const url = server.newDatabase()
    const store = await createMongoStore({ url, leaseMs: 0 })
    const { id: siteId } = await store.saveSite(sampleSite())
    const client = new MongoClient(url)
    const rows = collectionsOf(client.db())
    const settle = async () => void (await store.totals(siteId))
    const query = { siteId, since: 0, after: null, mend: true }
    // Of about ten writes: two of them hold folds up while rows are read.
    for (let deaths = 2; deaths < 9; deaths++) {
      const sessionId = `lost ${deaths}`
      const event = () => sampleEvent({ siteId, userId: 'noah', sessionId })
      await store.insertBatch(sampleBatch(event()))
      await settle()
      await rows.events(202611).deleteMany({ session: sessionId })
      const life = new Life(deaths)
      await auditUsers(mortal(rows, life), settle, query).catch((error: unknown) => {
        if (!life.isOver) throw error
      })
      // The process that remembers the row goes on.
      await store.insertBatch(sampleBatch(event()))
      await settle()
      const row = () => rows.sessions.findOne({ session: sessionId })
      expect((await row())?.events, `after ${deaths} writes`).toBeGreaterThan(0)
      await store.auditUsers(query)
      expect((await row())?.events, `after ${deaths} writes`).toBe(1)
    }
    await Promise.all([store.close(), client.close()])
  })

  it('is not taken over while it takes its time, and events wait for it no longer than it lasts', async () => {
    const { url, rows, siteId, close } = await halfWay()
    const other = await createMongoStore({ url })
    let counting!: Promise<number>
    const isDone = await foldOwn(rows, async () => {
      // A process that asks for figures, and with it for a fold of its own.
      counting = other
        .insertBatch(sampleBatch(sampleEvent({ siteId })))
        .then(() => other.overview({ siteId, from: day, to: day }))
        .then(({ events }) => events)
      counting.catch(() => {})
      await sleep(2300)
      return []
    })
    expect(isDone).toBe(true)
    expect(await counting).toBe(3)
    await other.close()
    await close()
  })
})
