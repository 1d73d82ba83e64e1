import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { createAuditJob } from '../server/jobs/audit.ts'
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
import { type StoreKind, storeKinds } from './store-kind.ts'

const SCRIPT = fileURLToPath(new URL('../scripts/audit.ts', import.meta.url))
const site = { id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' }
const siteId = site.id
await awayFromHours(0)
const LAST = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10)
const AT = Date.parse(`${LAST}T12:00:00Z`)
const newFolder = testFolder()
let server: MongoServer

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `rows of users that went wrong (${kind})`, () => {
    beforeAll(async () => {
      if (kind === 'mongo') server = await startMongo()
    })

    it('are found user by user and put right to the last figure, also while events come in', async () => {
      const { address, right } = await damagedShop(kind)
      const store = await open(address)
      expect(await figures(store)).not.toEqual(right)
      const query = { siteId, since: 0, after: null }
      const found = await store.auditUsers({ ...query, mend: false })
      expect(found).toMatchObject({ verdict: 'different', users: USERS, next: null })
      expect([...new Set(found.differences.map(({ userId }) => userId))].sort()).toEqual([...DAMAGED].sort())
      expect(found.differences).toContainEqual({ userId: 'user-1', figure: 'events', stored: 900, counted: 20 })
      expect(found.differences).toContainEqual({
        userId: 'user-2',
        figure: 'session s-2: end',
        stored: 7,
        counted: AT + 192,
      })
      // Nothing is changed without being told to.
      expect(await store.auditUsers({ ...query, mend: false })).toEqual(found)

      let isOver = false
      let others = 0
      const writing = (async () => {
        while (!isOver) {
          others += 1
          await store.insertBatch(sampleBatch(sampleEvent({ siteId, userId: `z-${others}`, occurredAt: Date.now() })))
        }
      })()
      const telemetry = createTelemetry({ logLevel: 'silent' })
      const job = createAuditJob({ store, siteId, days: 3, telemetry })
      await job.run({ day: LAST, site, signal: new AbortController().signal })
      isOver = true
      await writing
      // Every user with a wrong row, and the totals where they came to rest.
      expect([DAMAGED.length, DAMAGED.length + 1]).toContain(telemetry.counters.auditMismatches)
      expect(await store.auditUsers({ ...query, mend: false })).toMatchObject({ verdict: 'equal' })
      expect(['equal', 'mended']).toContain((await store.auditTotals({ siteId, mend: true })).verdict)
      expect(await figures(store)).toEqual(right)
      expect(await store.totals(siteId)).toMatchObject({ events: 200 + others, users: USERS + others })
      // What comes next adds to what was put right.
      await store.insertBatch(sampleBatch(sampleEvent({ siteId, userId: 'user-1', sessionId: 's-1', occurredAt: AT })))
      expect(await store.user({ siteId, userId: 'user-1' })).toMatchObject({ events: 21, sessions: 1 })
      await store.close()
    })

    it('are told and put right by the command', async () => {
      const { address, right } = await damagedShop(kind)
      const first = run(address, '--all')
      expect(first.stdout).toMatch(/^default\tuser user-1\tdifferent\n(\t.*\n)*\tevents: 900, counted 20$/m)
      expect(first.stdout).toMatch(/^default\ttotals\tdifferent\n\ttotal events: 5, counted /m)
      expect(first.code).toBe(1)
      expect(run(address, '--all', '--repair').stdout).toMatch(/days? and 10 users counted again, 0 of them not right/)
      const again = run(address, '--all')
      expect(again).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^1 day and 10 users counted again, 0 of/),
      })
      const store = await open(address)
      expect(await figures(store)).toEqual(right)
      await store.close()
    })
  })

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `a user whose row is gone (${kind})`, () => {
    it('does not take the totals down with it', async () => {
      if (kind === 'mongo') server ??= await startMongo()
      const { address } = await shopOf(kind)
      const before = await totalsOf(address)
      await (kind === 'mongo' ? forgetInMongo(address) : forgetInSqlite(address))
      const store = await open(address)
      expect(await store.auditTotals({ siteId, mend: true })).toMatchObject({
        verdict: 'different',
        lostUsers: 1,
        differences: expect.arrayContaining([{ figure: 'total events', stored: 200, counted: 180 }]),
      })
      await store.close()
      expect(await totalsOf(address)).toEqual(before)
      const repair = run(address, '--all', '--repair')
      if (kind === 'sqlite') {
        expect(repair.stdout).toContain('\t1 of the users who have sessions has no row of its own')
        expect(repair.code).toBe(1)
      } else {
        expect(repair).toMatchObject({ code: 0, stdout: expect.stringContaining('user user-5\tmended') })
        expect(run(address, '--all').code).toBe(0)
      }
      expect(await totalsOf(address)).toEqual(before)
    })
  })

const USERS = 10
const DAMAGED = ['user-1', 'user-2', 'user-3', 'user-4']

async function damagedShop(kind: StoreKind) {
  const shop = await shopOf(kind)
  await (kind === 'mongo' ? damageMongo(shop.address) : damageSqlite(shop.address))
  return shop
}

async function shopOf(kind: StoreKind) {
  const address = kind === 'mongo' ? server.newDatabase() : join(await newFolder(), 'veritas.db')
  const store = await open(address)
  await store.saveSite(site)
  const visits = Array.from({ length: 200 }, (_, n) => {
    const event = { siteId, userId: `user-${n % USERS}`, sessionId: `s-${n % USERS}`, occurredAt: AT + n }
    return n % 4 === 0 ? samplePurchase(event, { orderId: `order-${n}` }) : sampleEvent(event)
  })
  await store.insertBatch(sampleBatch(...visits))
  const right = await figures(store)
  await store.close()
  return { address, right }
}

async function totalsOf(address: string) {
  const store = await open(address)
  const { users, events } = await store.totals(siteId)
  await store.close()
  return { users, events }
}

async function forgetInSqlite(path: string): Promise<void> {
  const db = await Database.open(path)
  db.exec("DELETE FROM users WHERE user_id = 'user-5'")
  db.close()
}

async function forgetInMongo(url: string): Promise<void> {
  const client = new MongoClient(url)
  await client.db().collection<{ _id: string }>('users').deleteOne({ _id: 'default\0user-5' })
  await client.close()
}

/** A sum, a time, a day, money, an order that is missing, a session that never was, and the totals. */
async function damageSqlite(path: string): Promise<void> {
  const db = await Database.open(path)
  const userNo = (id: string) => `(SELECT user_no FROM users WHERE user_id = '${id}')`
  db.exec(`UPDATE users SET events = 900 WHERE user_id = 'user-1';
    UPDATE sessions SET end_at = 7 WHERE session_id = 's-2';
    INSERT INTO user_days (user_no, day_no) VALUES (${userNo('user-3')}, 20000);
    INSERT INTO sessions (user_no, session_id, start_at, end_at, events, orders) VALUES (${userNo('user-3')}, 'x', 5, 6, 7, 0);
    UPDATE user_money SET gross = 1 WHERE user_no = ${userNo('user-4')};
    DELETE FROM orders WHERE order_id = 'order-4';
    UPDATE sites SET events = 5`)
  db.close()
}

async function damageMongo(url: string): Promise<void> {
  const client = new MongoClient(url)
  const db = client.db()
  const users = db.collection<{ _id: string }>('users')
  await users.updateOne({ _id: 'default\0user-1' }, { $set: { events: 900 } })
  const sessions = db.collection<{ _id: string }>('sessions')
  await sessions.updateOne({ _id: 'default\0user-2\0s-2' }, { $set: { endAt: 7 } })
  const visit = await sessions.findOne({ _id: 'default\0user-3\0s-3' })
  await sessions.insertOne({
    ...visit,
    _id: 'default\0user-3\0x',
    ...{ session: 'x', startAt: 5, endAt: 6, events: 7 },
  })
  // Also a user whose own row is gone.
  await users.deleteOne({ _id: 'default\0user-3' })
  await users.updateOne({ _id: 'default\0user-4' }, { $set: { money: [['EUR', 5, 1]] } })
  await db.collection<{ _id: string }>('orders').deleteOne({ _id: 'default\0order-4' })
  await db.collection<{ _id: string }>('totals').updateOne({ _id: 'default' }, { $set: { events: 5 } })
  await client.close()
}

async function figures(store: Store) {
  const { users } = await store.listUsers({ siteId, sort: 'userId', order: 'asc', prefix: 'user', limit: 100 })
  const sessions = await Promise.all(users.map(({ userId }) => store.sessions({ siteId, userId, limit: 10 })))
  const range = { siteId, from: LAST, to: LAST }
  const { orders, orderingSessions, money, days } = await store.overview(range)
  return {
    users,
    sessions,
    orders,
    orderingSessions,
    money,
    days,
    journey: await store.journey({ siteId, userId: 'user-4', order: 'asc', limit: 100 }),
  }
}

function open(address: string): Promise<Store> {
  const mongoUrl = address.startsWith('mongodb') ? address : null
  return openStore({ mongoUrl, storePath: mongoUrl === null ? address : '', storeReaders: 1 })
}

function run(address: string, ...args: string[]) {
  const { PATH, HOME } = process.env
  const url = address.startsWith('mongodb') ? address : `sqlite:${address}`
  const ended = spawnSync(process.execPath, ['--import', 'tsx', SCRIPT, ...args], {
    env: { PATH, HOME, NODE_ENV: 'production', STORE_URL: url },
    encoding: 'utf8',
  })
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}
