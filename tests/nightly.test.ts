import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { addMonths, monthName, monthOf, monthStart } from '../server/analysis/months.ts'
import { dayNumber } from '../server/analysis/zones.ts'
import { createAuditJob } from '../server/jobs/audit.ts'
import { createRetentionJob } from '../server/jobs/retention.ts'
import { dayRowId } from '../server/store/mongo/row-id.ts'
import { openStore } from '../server/store/open.ts'
import { DAY_MS, sampleBatch, sampleEvent, samplePurchase } from '../server/store/sample-events.ts'
import { Database } from '../server/store/sqlite/database.ts'
import { testFolder } from '../server/store/sqlite/test-folder.ts'
import type { Store } from '../server/store/store.ts'
import { createTelemetry } from '../server/telemetry/telemetry.ts'
import { awayFromHours } from './day-boundary.ts'
import { type MongoServer, startMongo } from './mongo/mongo-server.ts'
import { storeNeeds } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { startServer } from './server.ts'
import { eventually } from './shop.ts'
import { type StoreKind, storeKinds } from './store-kind.ts'

const newFolder = testFolder()
const site = { id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' }
await awayFromHours(0)
const NOW = Date.now()
const LAST = new Date(NOW - DAY_MS).toISOString().slice(0, 10)
const AT_NOON = Date.parse(`${LAST}T12:00:00Z`)
const scripts = fileURLToPath(new URL('../scripts/', import.meta.url))
let server: MongoServer

function open(address: string): Promise<Store> {
  const mongoUrl = address.startsWith('mongodb') ? address : null
  return openStore({ mongoUrl, storePath: mongoUrl === null ? address : '', storeReaders: 1 })
}

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `figures that went wrong (${kind})`, () => {
    beforeAll(async () => {
      if (kind === 'mongo') server = await startMongo()
    })

    it('are found by the nightly audit, told of, counted and put right, also while events come in', async () => {
      const address = await newAddress(kind)
      let store = await open(address)
      await store.saveSite(site)
      const visits = Array.from({ length: 200 }, (_, n) => {
        const event = { siteId: 'default', userId: `user-${n % 20}`, sessionId: `s-${n % 50}`, occurredAt: AT_NOON + n }
        return n % 10 === 0 ? samplePurchase(event, { orderId: `order-${n}` }) : sampleEvent(event)
      })
      await store.insertBatch(sampleBatch(...visits))
      const range = { siteId: 'default', from: LAST, to: LAST }
      const right = await store.overview(range)
      const hours = await store.hours(range)
      // A store that remembers the rows it wrote last would put them right with the next late event.
      await store.close()
      await damage(kind, address)
      store = await open(address)
      expect((await store.overview(range)).events).not.toBe(right.events)

      // New events of today and late ones of the damaged day, for as long as it takes.
      let late = 0
      let isOver = false
      const writing = (async () => {
        for (let n = 0; !isOver; n++) {
          const today = sampleEvent({ siteId: 'default', userId: `new-${n}`, occurredAt: NOW })
          const batch = [today]
          if (n % 10 === 0 && n < 30) {
            late += 1
            batch.push(
              sampleEvent({ siteId: 'default', userId: 'user-1', sessionId: 's-1', occurredAt: AT_NOON + 5000 + n }),
            )
          }
          await store.insertBatch(sampleBatch(...batch))
        }
      })()
      const lines: string[] = []
      const telemetry = createTelemetry({ logLevel: 'info', stream: linesTo(lines) })
      const job = createAuditJob({ store, siteId: 'default', days: 3, telemetry })
      const signal = new AbortController().signal
      await job.run({ day: LAST, site, signal })
      // A day that late events keep changing is looked at again the next night: they end.
      while (telemetry.counters.auditMismatches === 0) await job.run({ day: LAST, site, signal })
      isOver = true
      await writing
      expect(telemetry.counters.auditMismatches).toBe(1)
      const alarm = lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(({ level }) => level === 50)
      expect(alarm).toMatchObject({ site: 'default', day: LAST, msg: expect.stringMatching(/put right/) })
      expect(JSON.stringify(alarm)).toMatch(/"figure":"events"/)

      const mended = await store.overview(range)
      expect(mended).toMatchObject({
        ...right,
        events: right.events + late,
        types: expect.anything(),
        days: expect.anything(),
      })
      expect(mended.days[0]).toEqual({ ...right.days[0], events: right.events + late })
      expect((await store.hours(range)).reduce((sum, hour) => sum + hour.events, 0)).toBe(right.events + late)
      expect(hours).toHaveLength(1)
      expect(await store.auditDay({ ...range, day: LAST, mend: false })).toEqual({ verdict: 'equal', differences: [] })
      // The next batch adds to what was mended, and not to what was remembered of before.
      await store.insertBatch(
        sampleBatch(sampleEvent({ siteId: 'default', userId: 'user-2', occurredAt: AT_NOON + 9000 })),
      )
      expect((await store.overview(range)).events).toBe(right.events + late + 1)
      await store.close()
    })

    it('are left as they are without being told to mend them, and days that nobody had are taken away', async () => {
      const address = await newAddress(kind)
      const store = await open(address)
      await store.saveSite(site)
      await store.insertBatch(sampleBatch(sampleEvent({ siteId: 'default', occurredAt: AT_NOON })))
      await store.totals('default')
      await damage(kind, address)
      const day = { siteId: 'default', day: LAST }
      const found = await store.auditDay({ ...day, mend: false })
      expect(found.verdict).toBe('different')
      expect(found.differences).toContainEqual({ figure: 'events', stored: 1007, counted: 1 })
      expect(await store.auditDay({ ...day, mend: false })).toEqual(found)
      expect((await store.auditDay({ ...day, mend: true })).verdict).toBe('mended')
      const before = new Date(AT_NOON - DAY_MS).toISOString().slice(0, 10)
      await phantom(kind, address, before)
      expect(await store.auditDay({ siteId: 'default', day: before, mend: true })).toMatchObject({ verdict: 'mended' })
      const range = { siteId: 'default', from: before, to: LAST }
      expect((await store.overview(range)).days.map((row) => row.day)).toEqual([LAST])
      await store.close()
    })
  })

describe('every night', () => {
  it('old months go, and only these', async () => {
    const path = await newAddress('sqlite')
    const store = await open(path)
    await store.saveSite(site)
    const kept = addMonths(monthOf(NOW), -2)
    const times = [monthStart(kept) - 1, monthStart(kept), NOW]
    await store.insertBatch(sampleBatch(...times.map((occurredAt) => sampleEvent({ siteId: 'default', occurredAt }))))
    const lines: string[] = []
    const { log } = createTelemetry({ logLevel: 'info', stream: linesTo(lines) })
    const clock = { now: () => NOW, sleep: async () => {} }
    const job = createRetentionJob({ store, siteId: 'default', months: 2, clock, log })
    const run = { day: LAST, site, signal: new AbortController().signal }
    await job.run(run)
    await job.run(run)
    expect(lines.map((line) => (JSON.parse(line) as { months: string[] }).months)).toEqual([
      [monthName(addMonths(kept, -1))],
    ])
    expect((await store.eventMonths()).map(({ month }) => month)).toEqual([kept, monthOf(NOW)])
    await store.close()
  })

  it('is also a pair of commands', async () => {
    const folder = await newFolder()
    const store = await open(join(folder, 'veritas.db'))
    await store.saveSite(site)
    const old = monthStart(addMonths(monthOf(NOW), -3))
    const times = [old, old + 1, AT_NOON]
    await store.insertBatch(sampleBatch(...times.map((occurredAt) => sampleEvent({ siteId: 'default', occurredAt }))))
    await store.close()
    expect(run('retention', folder)).toMatchObject({ code: 0, stdout: expect.stringMatching(/Every month is kept/) })
    const dry = run('retention', folder, '--months', '1', '--dry-run')
    expect(dry.stdout).toContain(`${monthName(monthOf(old))}\t2 events would be dropped`)
    expect(run('retention', folder, '--months', '1').stdout).toContain('1 month dropped')
    expect(run('retention', folder, '--months', '1').stdout).toContain('0 months dropped')
    for (const months of ['x', '', '1201'])
      expect(run('retention', folder, '--months', months), months).toMatchObject({ code: 2 })
    expect(run('retention', folder, '--months', '1200').stdout).toMatch(/Every month is kept/)

    expect(run('audit', folder)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 day and \d+ users? counted again, 0 of/),
    })
    await damage('sqlite', join(folder, 'veritas.db'))
    const found = run('audit', folder, '--all')
    expect(found.stdout).toMatch(/events: 1007, counted 1\n/)
    expect(found.stderr).toMatch(/--repair/)
    expect(found.code).toBe(1)
    expect(run('audit', folder, '--day', LAST, '--repair')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/mended/),
    })
    expect(run('audit', folder, '--all', '--site', 'default')).toMatchObject({ code: 0 })
    expect(run('audit', folder, '--day', 'yesterday')).toMatchObject({ code: 2 })
    expect(run('audit', folder, '--day', new Date().toISOString().slice(0, 10))).toMatchObject({ code: 2 })
    expect(run('audit', folder, '--site', 'nobody')).toMatchObject({ code: 1 })
  })

  it('a server with RETENTION_MONTHS refuses what it would drop, each event by itself', async () => {
    const server = await startServer({ args: ['--no-demo'], env: { RETENTION_MONTHS: '1' } })
    try {
      const tooOld = new Date(monthStart(addMonths(monthOf(NOW), -1)) - 1).toISOString()
      const event = (eventId: string, occurredAt: string) => ({
        ...{ eventId, occurredAt, userId: 'u', sessionId: 's', type: 'button_click' },
      })
      const response = await fetch(`${server.url}/events`, {
        method: 'POST',
        body: JSON.stringify([event('old', tooOld), event('new', new Date(NOW).toISOString())]),
      })
      expect(response.status).toBe(202)
      const answer = JSON.stringify(await response.json())
      expect(answer).toMatch(/too_old/)
      expect(answer).toMatch(/from which on this server keeps events/)
      await eventually(async () => {
        const health = (await (await fetch(`${server.url}/health`)).json()) as { events: Record<string, number> }
        expect(health.events).toMatchObject({ rejected: 1, stored: 1, deadLettered: 0, imbalance: 0 })
      })
    } finally {
      await server.stop()
    }
  })

  it('a server learns of months that somebody drops by hand beside it, and refuses their events from then on', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    try {
      const old = new Date(monthStart(addMonths(monthOf(NOW), -1)) - 1).toISOString()
      const post = async () => {
        const event = { occurredAt: old, userId: 'u', sessionId: 's', type: 'button_click' }
        const response = await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(event) })
        return { status: response.status, text: await response.text() }
      }
      const events = async () =>
        ((await (await fetch(`${server.url}/health`)).json()) as { events: Record<string, number> }).events
      expect((await post()).status).toBe(202)
      await eventually(async () => expect(await events()).toMatchObject({ stored: 1, waiting: 0 }))
      expect(run('retention', server.dataDir, '--months', '1').stdout).toContain('1 month dropped')
      // What is accepted until it asks the store again is lost by nobody: it is a dead letter.
      let accepted = 0
      await eventually(async () => {
        const { status, text } = await post()
        if (status === 202) accepted += 1
        expect(text).toMatch(/too_old.*from which on this server keeps events/)
        expect(status).toBe(400)
      })
      await eventually(async () =>
        expect(await events()).toMatchObject({
          stored: 1,
          deadLettered: accepted,
          rejected: 1,
          waiting: 0,
          imbalance: 0,
        }),
      )
    } finally {
      await server.stop()
    }
  })
})

function run(name: 'retention' | 'audit', dataDir: string, ...args: string[]) {
  const { PATH, HOME } = process.env
  const ended = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(scripts, `${name}.ts`), '--data-dir', dataDir, ...args],
    {
      env: { PATH, HOME, NODE_ENV: 'production' },
      encoding: 'utf8',
    },
  )
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}

async function newAddress(kind: StoreKind): Promise<string> {
  return kind === 'mongo' ? server.newDatabase() : join(await newFolder(), 'veritas.db')
}

/** Gives the last day 1006 events, an order and a first visitor too many, behind the back of the store. */
async function damage(kind: StoreKind, address: string): Promise<void> {
  if (kind === 'sqlite') {
    const db = await Database.open(address)
    const dayNo = dayNumber(LAST)
    db.write(() => {
      db.run('UPDATE days SET events = events + 1006, orders = orders + 1, sessions = 0 WHERE day_no = ?', dayNo)
      db.run('UPDATE day_types SET events = 3 WHERE day_no = ?', dayNo)
      db.run('DELETE FROM day_money WHERE day_no = ?', dayNo)
      db.run('UPDATE day_pairs SET users = users + 1 WHERE day_no = ?', dayNo)
      db.run('UPDATE hours SET events = 2')
    })
    db.close()
    return
  }
  const client = new MongoClient(address)
  const days = client.db().collection<{ _id: string }>('days')
  await days.updateOne(
    { _id: dayRowId('default', dayNumber(LAST)) },
    { $inc: { events: 1006, orders: 1 }, $set: { sessions: 0, money: [], hours: [], types: [['search', 3]] } },
  )
  await client.close()
}

/** A day that nobody had. */
async function phantom(kind: StoreKind, address: string, day: string): Promise<void> {
  const dayNo = dayNumber(day)
  if (kind === 'sqlite') {
    const db = await Database.open(address)
    const { site_no } = db.get<{ site_no: number }>('SELECT site_no FROM sites')!
    db.run('INSERT INTO days VALUES (?, ?, 5, 0, 0, 0, 0)', site_no, dayNo)
    db.close()
    return
  }
  const client = new MongoClient(address)
  const days = client.db().collection<{ _id: string; fold: number }>('days')
  const row = await days.findOne({ _id: dayRowId('default', dayNumber(LAST)) })
  await days.insertOne({ ...row!, _id: dayRowId('default', dayNo), fold: 0 })
  await client.close()
}

function linesTo(lines: string[]) {
  return new Writable({
    write(text: Buffer, _encoding, done) {
      lines.push(...text.toString().split('\n').filter(Boolean))
      done()
    },
  })
}
