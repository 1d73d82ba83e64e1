import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { addMonths, monthOf, monthStart } from '../server/analysis/months.ts'
import { dayNumber, dayOf } from '../server/analysis/zones.ts'
import { compareAnswers } from '../server/store/compare-answers.ts'
import { moveStore } from '../server/store/move/move.ts'
import { openStore } from '../server/store/open.ts'
import { Oracle } from '../server/store/oracle.ts'
import { randomShop } from '../server/store/random-shop.ts'
import { DAY_MS, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../server/store/sample-events.ts'
import { Database } from '../server/store/sqlite/database.ts'
import { testFolder } from '../server/store/sqlite/test-folder.ts'
import type { Store, StoredEvent } from '../server/store/store.ts'
import { userSort } from '../trpc/schema/users.ts'
import { type MongoServer, startMongo } from './mongo/mongo-server.ts'
import { storeNeeds } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { startServer, temporaryFolder } from './server.ts'
import { type StoreKind, storeKinds } from './store-kind.ts'

const WRITER = fileURLToPath(new URL('./move-writer.ts', import.meta.url))
const SCRIPT = fileURLToPath(new URL('../scripts/migrate.ts', import.meta.url))
const EVENTS = 9000
const KILLS = Number(process.env.MOVE_KILLS ?? 2)
const SEED = Number(process.env.MOVE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const newFolder = testFolder()

let server: MongoServer
let files = 0

function open(address: string): Promise<Store> {
  const mongoUrl = address.startsWith('mongodb') ? address : null
  return openStore({ mongoUrl, storePath: mongoUrl === null ? address : '', storeReaders: 1 })
}

async function newAddress(kind: StoreKind): Promise<string> {
  files += 1
  return kind === 'mongo' ? server.newDatabase() : join(await newFolder(), `store-${files}.db`)
}

const quiet = { source: 'a store of the test', watchMs: 0, tell: () => {} }

for (const from of storeKinds)
  for (const to of storeKinds)
    describeWith(storeNeeds[from === 'mongo' ? from : to], `a move from ${from} to ${to}`, () => {
      beforeAll(async () => {
        if (from === 'mongo' || to === 'mongo') server = await startMongo()
      })

      it('brings everything: every figure, list and journey of a random shop, and who may come in', async ({
        onTestFailed,
      }) => {
        onTestFailed(() => console.error(`repeat it with MOVE_SEED=${SEED}`))
        const [shop] = fc.sample(randomShop(), { numRuns: 1, seed: SEED })
        const { site, batches } = shop!
        const oracle = new Oracle([site])
        const source = await open(await newAddress(from))
        await source.saveSite(site)
        await source.saveSite(sampleSite({ id: 'empty' }))
        for (const batch of batches) {
          oracle.insertBatch(batch)
          await source.insertBatch(batch)
        }
        const rows = await fillRows(source, site.id)
        const target = await open(await newAddress(to))
        const receipt = await moveStore({ from: source, to: target, ...quiet })
        expect(receipt).toMatchObject({ isEqual: true })
        await compareAnswers(target, oracle, site.id)
        for (const [kind, expected] of Object.entries(rows))
          expect(await target.moving.rows(kind as keyof typeof rows, null)).toEqual(expected)
        expect(await target.accounts.bySession('login', 10)).toMatchObject({ email: 'ana@example.com' })
        expect(await target.site('empty')).toMatchObject({ id: 'empty' })
        // Events that come again afterwards are known by their ids, and new ones count.
        const again = await target.insertBatch(sampleBatch(...oracle.events(site.id)))
        expect(again).toMatchObject({ stored: 0, refused: 0 })
        await expect(moveStore({ from: source, to: target, ...quiet })).rejects.toThrow(/finished/)
        await Promise.all([source.close(), target.close()])
      })

      it('brings the figures of dropped months as they are, and the two stores stay alike afterwards', async () => {
        const source = await open(await newAddress(from))
        const { siteId, events } = await shopWithoutOldMonths(source)
        const target = await open(await newAddress(to))
        // It stops before figures are there, and in the middle of them.
        for (const stopAt of [1, 2]) {
          const broken = { ...target, moving: { ...target.moving, putFigures: stoppingAt(stopAt, target) } }
          await expect(moveStore({ from: source, to: broken, ...quiet })).rejects.toThrow('stopped')
        }
        const receipt = await moveStore({ from: source, to: target, ...quiet })
        expect(receipt).toMatchObject({ isEqual: true, keptFrom: KEPT })
        expect(await target.keptFrom()).toBe(KEPT)
        expect(await answers(target, siteId)).toEqual(await answers(source, siteId))
        // A dropped order that is repeated, a visit that goes on, a dropped event that comes again, a new day between.
        const more = [
          samplePurchase({ siteId, userId: 'user-3', occurredAt: START + 40 * DAY_MS }, { orderId: 'order-0' }),
          sampleEvent({ siteId, userId: 'user-1', sessionId: 's-1', occurredAt: START + 50 * DAY_MS }),
          events[0]!,
          sampleEvent({ siteId, userId: 'user-2', sessionId: 'new', occurredAt: START + 2 * DAY_MS + 5 }),
          samplePurchase({ siteId, userId: 'user-4', occurredAt: START + 1 }, { orderId: 'kept-order-7' }),
        ]
        for (const store of [source, target])
          expect(await store.insertBatch({ id: 'more', events: more })).toMatchObject({ stored: 4, refused: 1 })
        expect(await answers(target, siteId)).toEqual(await answers(source, siteId))
        const zone = await target
          .saveSite({ ...(await target.site(siteId))!, timeZone: 'Asia/Tokyo' })
          .catch(() => null)
        expect(zone).toBeNull()
        await Promise.all([source.close(), target.close()])
      })

      it('goes on after a kill at any moment and loses and doubles nothing', async () => {
        const { address, siteId, events } = await bigShop(from)
        const target = await newAddress(to)
        let kills = 0
        // The first at once: however slow this process is to hear of it, there is something left.
        for (let killAfterMs = 0; ; killAfterMs = 300 + Math.random() * 1500) {
          const output = await moveAndKill(address, target, killAfterMs)
          const moved = [...output.matchAll(/^moving (\d+)$/gm)].map(([, events]) => Number(events))
          // It goes on from where it was: what is done again counts once.
          expect(Math.max(0, ...moved)).toBeLessThanOrEqual(EVENTS)
          if (output.includes('equal')) {
            expect(output).toContain('equal true')
            break
          }
          kills += 1
          if (kills === KILLS) {
            // Enough: the last one may end.
            expect(await moveAndKill(address, target, 120_000)).toContain('equal true')
            break
          }
        }
        expect(kills).toBeGreaterThan(0)
        const [source, moved] = [await open(address), await open(target)]
        expect(await answers(moved, siteId)).toEqual(await answers(source, siteId))
        expect((await moved.totals(siteId)).events).toBe(events)
        await Promise.all([source.close(), moved.close()])
      })
    })

describe('a move', () => {
  it('starts only where it may: not into a store with something in it, nor into the rest of another move', async () => {
    const source = await open(await newAddress('sqlite'))
    await source.saveSite(sampleSite({ id: 'shop' }))
    const target = await open(await newAddress('sqlite'))
    await target.saveSite(sampleSite({ id: 'shop' }))
    await expect(moveStore({ from: source, to: target, ...quiet })).rejects.toThrow(/not empty: it has sites/)
    const half = await open(await newAddress('sqlite'))
    const stopped = AbortSignal.abort(new Error('stopped'))
    await source.insertBatch(sampleBatch(sampleEvent({ siteId: 'shop' })))
    await expect(moveStore({ from: source, to: half, ...quiet, signal: stopped })).rejects.toThrow('stopped')
    await expect(moveStore({ from: source, to: half, ...quiet, source: 'another' })).rejects.toThrow(/part of a move/)
    expect(await moveStore({ from: source, to: half, ...quiet })).toMatchObject({ isEqual: true })
    await Promise.all([source, target, half].map((store) => store.close()))
  })

  it('is refused while the source is written to, and brings what came in between when it is run again', async () => {
    const source = await open(await newAddress('sqlite'))
    const { id: siteId } = await source.saveSite(sampleSite())
    const target = await open(await newAddress('sqlite'))
    const inserts: Promise<unknown>[] = []
    const insert = () => inserts.push(source.insertBatch(sampleBatch(sampleEvent({ siteId }))))
    const writing = setInterval(insert, 10)
    await expect(moveStore({ from: source, to: target, ...quiet, watchMs: 200 })).rejects.toThrow(/written to/)
    clearInterval(writing)
    await Promise.all(inserts)
    // One more event while it is under way.
    const late = { id: 'late', events: [sampleEvent({ siteId, userId: 'late' })] }
    const meanwhile: Store = {
      ...target,
      insertBatch: async (batch) => {
        await source.insertBatch(late)
        return target.insertBatch(batch)
      },
    }
    await expect(moveStore({ from: source, to: meanwhile, ...quiet })).rejects.toThrow(/during the move/)
    expect(await moveStore({ from: source, to: target, ...quiet })).toMatchObject({ isEqual: true })
    expect(await answers(target, siteId)).toEqual(await answers(source, siteId))
    await Promise.all([source.close(), target.close()])
  })

  it('brings what has changed beside the events, too, and refuses a receipt when a row is not alike', async () => {
    const source = await open(await newAddress('sqlite'))
    const { id: siteId } = await source.saveSite(sampleSite())
    await source.insertBatch(sampleBatch(sampleEvent({ siteId })))
    const key = { siteId, kind: 'sk', name: 'server', eventsPerSecond: null, origins: null, createdAt: 5 } as const
    await source.keys.create({ keyHash: 'old', ...key })
    const target = await open(await newAddress('sqlite'))
    // While events move, a key is taken back and another made: as many as before.
    let isChanged = false
    const changing: Store = {
      ...target,
      insertBatch: async (batch) => {
        const isFirst = !isChanged
        isChanged = true
        if (isFirst) await source.keys.revoke('old')
        if (isFirst) await source.keys.create({ keyHash: 'new', ...key })
        return target.insertBatch(batch)
      },
    }
    const receipt = await moveStore({ from: source, to: changing, ...quiet })
    expect(receipt.isEqual).toBe(false)
    expect(receipt.rows).toContainEqual({ kind: 'keys', source: 1, target: 1, different: 2 })
    expect(await moveStore({ from: source, to: target, ...quiet })).toMatchObject({ isEqual: true })
    expect([await target.keys.byHash('old'), await target.keys.byHash('new')]).toEqual([null, key])
    await Promise.all([source.close(), target.close()])
  })

  it('takes nothing from the half of another move', async () => {
    const source = await open(await newAddress('sqlite'))
    const { id: siteId } = await source.saveSite(sampleSite())
    await source.insertBatch(sampleBatch(sampleEvent({ siteId })))
    const half = await open(await newAddress('sqlite'))
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(moveStore({ from: source, to: half, ...quiet, signal })).rejects.toThrow('stopped')
    const target = await open(await newAddress('sqlite'))
    await expect(moveStore({ from: half, to: target, ...quiet })).rejects.toThrow(/not finished/)
    await Promise.all([source, half, target].map((store) => store.close()))
  })

  it('copies no figures of kept days that their events contradict', async () => {
    const path = await newAddress('sqlite')
    let source = await open(path)
    const { siteId } = await shopWithoutOldMonths(source)
    await source.close()
    const db = await Database.open(path)
    db.run('UPDATE days SET events = events + 1 WHERE day_no = ?', dayNumber(dayOf('UTC', START + 20 * DAY_MS)))
    db.close()
    source = await open(path)
    const target = await open(await newAddress('sqlite'))
    const { isEqual, sites } = await moveStore({ from: source, to: target, ...quiet })
    expect(isEqual).toBe(false)
    const wrong = sites[0]!.numbers.filter((number) => number.source !== number.target)
    expect(wrong.map(({ name }) => name)).toEqual([expect.stringMatching(/^copied figure and events /)])
    // Put right, and it goes through.
    expect(await source.auditDay({ siteId, day: wrong[0]!.name.slice(-10), mend: true })).toMatchObject({
      verdict: 'mended',
    })
    await source.insertBatch(sampleBatch(sampleEvent({ siteId, occurredAt: START + 20 * DAY_MS })))
    expect(await moveStore({ from: source, to: target, ...quiet })).toMatchObject({ isEqual: true })
    await Promise.all([source.close(), target.close()])
  })

  it('says which numbers differ, and ends with 1', async () => {
    const [from, to] = [await newAddress('sqlite'), await newAddress('sqlite')]
    const source = await open(from)
    const { id: siteId } = await source.saveSite(sampleSite({ id: 'shop', timeZone: 'UTC' }))
    await source.insertBatch(sampleBatch(samplePurchase({ siteId }), sampleEvent({ siteId })))
    await source.close()
    const stray = await open(to)
    await moveStore({
      from: await open(from),
      to: stray,
      ...quiet,
      source: `sqlite:${from}`,
      signal: AbortSignal.abort(),
    }).catch(() => {})
    // As if something else had written into the target.
    await stray.insertBatch(sampleBatch(sampleEvent({ siteId, type: 'search' })))
    await stray.close()
    const { code, stdout, stderr } = run('--from', `sqlite:${from}`, '--to', `sqlite:${to}`)
    expect(stdout).toMatch(/events 2026-11-22 search +0 ≠ 1/)
    expect(stderr).toMatch(/do not use the target/)
    expect(code).toBe(1)
  })

  it('is a command with a receipt, plain lines of progress and clear refusals', async () => {
    const [from, to] = [await newAddress('sqlite'), await newAddress('sqlite')]
    const source = await open(from)
    const { id: siteId } = await source.saveSite(sampleSite({ id: 'shop', timeZone: 'UTC' }))
    await source.insertBatch(sampleBatch(samplePurchase({ siteId }), sampleEvent({ siteId })))
    await source.close()
    const receipt = join(await newFolder(), 'receipt.json')
    const { code, stdout, stderr } = run('--from', `sqlite:${from}`, '--to', `sqlite:${to}`, '--receipt', receipt)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/Moved: 2 of 2 events\n/)
    expect(stdout).toMatch(/events page_view +1 = 1/)
    expect(stdout).toMatch(/revenue EUR +2000 = 2000/)
    expect(code).toBe(0)
    const { sites } = JSON.parse(readFileSync(receipt, 'utf8')) as { sites: { numbers: unknown[] }[] }
    expect(sites[0]?.numbers).toContainEqual({ name: 'figure gross 2026-11-22 EUR', source: 2000, target: 2000 })
    expect(run('--from', `sqlite:${from}`)).toMatchObject({ code: 2 })
    const wrong = run('--from', 'postgres://ana:s3cret@x', '--to', `sqlite:${to}`)
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('not postgres:…') })
    expect(wrong.stderr).not.toContain('s3cret')
    const nowhere = run(
      '--from',
      `sqlite:${from}`,
      '--to',
      `sqlite:${to}-2`,
      '--receipt',
      join(to, 'no', 'receipt.json'),
    )
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringMatching(/^--receipt: .*cannot be written/) })
    expect(run('--from', `sqlite:${from}`, '--to', `sqlite:${from}`)).toMatchObject({ code: 2 })
    expect(run('--from', 'sqlite:/nowhere/at/all.db', '--to', `sqlite:${to}`)).toMatchObject({ code: 1 })
    const again = run('--from', `sqlite:${from}`, '--to', `sqlite:${to}`)
    expect(again.stderr).toMatch(/finished/)
    expect(again.code).toBe(1)
  })

  it('is refused while a server runs on either store', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    const used = `sqlite:${join(server.dataDir, 'veritas.db')}`
    const other = join(temporaryFolder(), 'other.db')
    await (await open(other)).close()
    const told = expect.stringMatching(/a server runs on sqlite:.* \(process \d+, .*\): stop it first/)
    expect(run('--from', used, '--to', `sqlite:${other}`)).toMatchObject({ code: 1, stdout: '', stderr: told })
    expect(run('--from', `sqlite:${other}`, '--to', used)).toMatchObject({ code: 1, stdout: '', stderr: told })
    await server.stop()
  })
})

/** A month is kept for some weeks at least, by the real clock. */
const KEPT = addMonths(monthOf(Date.now()), -3)
const START = monthStart(KEPT)

/** Users, sessions and orders of which all, a part or nothing is left. */
async function shopWithoutOldMonths(store: Store): Promise<{ siteId: string; events: StoredEvent[] }> {
  const { id: siteId } = await store.saveSite(sampleSite({ timeZone: 'America/New_York' }))
  const events = Array.from({ length: 2400 }, (_, n): StoredEvent => {
    const occurredAt = START + ((n % 120) - 60) * DAY_MS + n * 1000
    const event = { siteId, userId: `user-${n % 41}`, sessionId: `s-${n % 7}`, occurredAt }
    if (n % 9 !== 0) return sampleEvent({ ...event, type: n % 2 === 0 || occurredAt > START ? 'page_view' : 'search' })
    const name = occurredAt < START ? 'order' : 'kept-order'
    return samplePurchase(event, {
      orderId: `${name}-${n % 300}`,
      revenue: n / 7,
      currency: n % 2 === 0 ? 'EUR' : 'USD',
    })
  })
  await store.insertBatch(sampleBatch(...events))
  const before = await store.totals(siteId)
  expect((await store.dropMonthsBefore(KEPT)).length).toBeGreaterThan(1)
  expect(await store.totals(siteId)).toEqual(before)
  return { siteId, events }
}

function stoppingAt(call: number, { moving }: Store): Store['moving']['putFigures'] {
  let calls = 0
  return async (siteId, rows) => {
    calls += 1
    if (calls === call) throw new Error('stopped')
    await moving.putFigures(siteId, rows)
  }
}

function run(...args: string[]) {
  const { PATH, HOME } = process.env
  const ended = spawnSync(process.execPath, ['--import', 'tsx', SCRIPT, ...args], {
    env: { PATH, HOME, NODE_ENV: 'production', DATA_DIR: temporaryFolder() },
    encoding: 'utf8',
  })
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}

async function bigShop(kind: StoreKind): Promise<{ address: string; siteId: string; events: number }> {
  const address = await newAddress(kind)
  const store = await open(address)
  const { id: siteId } = await store.saveSite(sampleSite())
  const events = Array.from({ length: EVENTS }, (_, n): StoredEvent => {
    const event = {
      ...{ siteId, userId: `user-${n % 97}`, sessionId: `s-${n % 389}` },
      occurredAt: Date.UTC(2026, n % 4, 1 + (n % 27), n % 24),
    }
    return n % 11 === 0 ? samplePurchase(event, { orderId: `order-${n % 700}`, revenue: n / 100 }) : sampleEvent(event)
  })
  for (let from = 0; from < EVENTS; from += 3000)
    await store.insertBatch(sampleBatch(...events.slice(from, from + 3000)))
  await store.totals(siteId)
  await store.close()
  return { address, siteId, events: EVENTS }
}

async function moveAndKill(source: string, target: string, afterMs: number): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, source, target], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await Promise.race([once(child.stdout, 'data'), exited])
  await Promise.race([sleep(afterMs), exited])
  child.kill('SIGKILL')
  await exited
  return output
}

async function fillRows(store: Store, siteId: string) {
  const account = { name: 'Ana', role: 'owner', passwordHash: 'hash', createdAt: 1 } as const
  await store.accounts.create({ id: '1', email: 'ana@example.com', ...account }, { onlyIfFirst: true })
  await store.accounts.create({ id: '2', email: 'ben@example.com', ...account, role: 'analyst' })
  await store.accounts.createSession({ tokenHash: 'login', accountId: '1', createdAt: 2, expiresAt: 4e12 })
  await store.accounts.createInvitation({ tokenHash: 'invited', email: 'c@example.com', createdAt: 3, expiresAt: 4e12 })
  await store.accounts.createToken({ tokenHash: 'token', name: 'tool', accountId: '1', createdAt: 4 })
  const key = { siteId, kind: 'pk', name: 'shop', eventsPerSecond: 10, origins: null, createdAt: 5 } as const
  await store.keys.create({ keyHash: 'key', ...key })
  await store.jobs.claim({ name: 'export:shop', owner: 'me', now: 0, until: 1 })
  await store.jobs.note({
    name: 'export:shop',
    owner: 'me',
    note: { kind: 'succeeded', at: 1, doneThrough: '2026-01-01' },
  })
  const { moving } = store
  return {
    accounts: await moving.rows('accounts', null),
    logins: await moving.rows('logins', null),
    invitations: await moving.rows('invitations', null),
    tokens: await moving.rows('tokens', null),
    keys: await moving.rows('keys', null),
    jobs: await moving.rows('jobs', null),
  }
}

/** What a page may ask, of every day and of some users. */
async function answers(store: Store, siteId: string) {
  const range = { siteId, from: '2026-01-01', to: '2026-12-31' }
  const overview = await store.overview(range)
  const { users } = await store.listUsers({ siteId, sort: 'totalEvents', order: 'desc', limit: 8 })
  const ofUsers = await Promise.all(
    users.map(async ({ userId }) => [
      await store.journey({ siteId, userId, order: 'desc', limit: 1000 }),
      await store.sessions({ siteId, userId, limit: 100 }),
    ]),
  )
  return {
    totals: await store.totals(siteId),
    overview: { ...overview, types: overview.types.sort((a, b) => (a.type < b.type ? -1 : 1)) },
    hours: await store.hours(range),
    lists: await Promise.all(
      userSort.options.map((sort) => store.listUsers({ siteId, sort, order: 'asc', limit: 100 })),
    ),
    ofUsers,
  }
}
