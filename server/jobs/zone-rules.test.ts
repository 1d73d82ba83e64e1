import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clockText } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import { Oracle } from '../store/oracle.ts'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../store/sample-events.ts'
import { Database } from '../store/sqlite/database.ts'
import { createSqliteStore } from '../store/sqlite/store.ts'
import { testFolder } from '../store/sqlite/test-folder.ts'
import type { Store, StoredEvent } from '../store/store.ts'
import { createZoneRules } from './zone-rules.ts'

const newFolder = testFolder()
const vancouver = 'America/Vancouver'

/** Until 2026 both had the same clock; rules from before the change have it still. */
const asBefore = 'America/Los_Angeles'

/** A store whose days were counted by rules that have changed since. */
async function countedBefore(events: (siteId: string) => StoredEvent[], zones = { asBefore, now: vancouver }) {
  const path = join(await newFolder(), 'veritas.db')
  const site = sampleSite({ timeZone: zones.asBefore })
  const before = await createSqliteStore({ path, readers: 1 })
  await before.saveSite(site)
  const all = events(site.id)
  await before.insertBatch(sampleBatch(...all))
  await before.close()
  const db = await Database.open(path)
  db.run('UPDATE sites SET time_zone = ?', zones.now)
  db.close()
  const store = await createSqliteStore({ path, readers: 1 })
  const oracle = new Oracle([{ ...site, timeZone: 'Etc/GMT+7' }])
  oracle.insertBatch({ id: 'all', events: all })
  return { store, siteId: site.id, oracle, path }
}

function rulesOf(store: Store, siteId: string) {
  let time = 0
  const counters = { auditMismatches: 0 }
  const errors: string[] = []
  const warnings: string[] = []
  const log = {
    warn: (_: unknown, text?: string) => void warnings.push(text ?? ''),
    info() {},
    error: (about: unknown, text?: string) => void errors.push(`${text} ${JSON.stringify(about)}`),
  }
  const rules = createZoneRules({ store, siteId, telemetry: { log, counters }, now: () => (time += 10_000) })
  return { ...rules, counters, errors, warnings }
}

function event(siteId: string, at: string, more: Partial<StoredEvent> = {}): StoredEvent {
  return sampleEvent({ siteId, occurredAt: Date.parse(at), receivedAt: Date.parse(at), ...more })
}

const affected = (siteId: string) => [
  event(siteId, '2026-11-20T20:00:00Z', { userId: 'lena', sessionId: 'a' }),
  event(siteId, '2026-11-29T07:30:00Z', { userId: 'lena', sessionId: 'b' }),
  event(siteId, '2026-11-29T07:40:00Z', {
    userId: 'omar',
    sessionId: 'c',
    type: 'purchase',
    payload: { orderId: 'o1', revenue: 12.5, currency: 'EUR' },
  }),
  event(siteId, '2026-11-29T09:00:00Z', { userId: 'omar', sessionId: 'c' }),
  event(siteId, '2026-11-30T09:00:00Z', { userId: 'lena', sessionId: 'd' }),
]

it('counts the days again that other rules had counted, all figures together', async () => {
  const { store, siteId, oracle } = await countedBefore(affected)
  const range = { siteId, from: '2026-11-01', to: '2026-12-31' }
  expect((await store.overview(range)).days.find(({ day }) => day === '2026-11-28')?.events).toBe(2)
  const rules = rulesOf(store, siteId)
  await rules.compare()
  expect(rules.warnings).toEqual([expect.stringMatching(/rules of America\/Vancouver; days from 2026-11-28 on/)])
  expect(() => rules.assertCounted()).toThrow('counted again')
  await rules.recount()
  rules.assertCounted()
  // Nothing was wrong: nobody is to be called for it.
  expect(rules.counters.auditMismatches).toBe(0)
  expect(rules.errors).toEqual([])
  for (const from of ['2026-11-01', '2026-11-28', '2026-11-29', '2026-11-30'])
    for (const to of ['2026-11-28', '2026-11-29', '2026-12-31']) {
      expect(await store.overview({ siteId, from, to }), `${from} to ${to}`).toEqual(
        oracle.overview({ siteId, from, to }),
      )
      expect(await store.hours({ siteId, from, to })).toEqual(oracle.hours({ siteId, from, to }))
    }
  await store.insertBatch(sampleBatch(event(siteId, '2026-11-29T07:50:00Z', { userId: 'omar', sessionId: 'c' })))
  for (const day of ['2026-11-28', '2026-11-29', '2026-11-30'])
    expect((await store.auditDay({ siteId, day, mend: false })).verdict).toBe('equal')
  expect((await store.auditUsers({ siteId, since: 0, after: null, mend: false })).verdict).toBe('equal')
  await store.close()
})

/** Around midnight by either rules: 07:30 UTC is of another day since, 06:30 and 08:30 are not. */
function setAside(siteId: string): StoredEvent[] {
  const order = (at: string, user: string, order: Record<string, unknown>, trust: StoredEvent['trust'] = 'claimed') => {
    const occurredAt = Date.parse(at)
    return samplePurchase({ siteId, occurredAt, receivedAt: occurredAt, userId: user, sessionId: user, trust }, order)
  }
  return ['2026-11-28', '2026-11-29', '2026-11-30'].flatMap((day, index) => [
    order(`${day}T05:00:00Z`, 'lena', { orderId: `o${index}`, revenue: 20 }),
    order(`${day}T06:30:00Z`, 'omar', { orderId: `o${index}`, revenue: 21 }),
    order(`${day}T07:30:00Z`, 'omar', { orderId: `o${index}`, revenue: 21 }),
    order(`${day}T07:31:00Z`, 'lena', { orderId: `o${index}`, revenue: 23, currency: 'USD' }),
    order(`${day}T07:32:00Z`, 'omar', { orderId: `o${index}` }),
    order(`${day}T08:30:00Z`, 'omar', { orderId: `o${index}`, revenue: 21 }),
    order(`${day}T07:33:00Z`, 'lena', { orderId: undefined }),
    order(`${day}T07:34:00Z`, 'omar', { orderId: `n${index}`, revenue: undefined }),
    order(`${day}T08:35:00Z`, 'omar', { orderId: `n${index}`, revenue: 'much' }),
  ])
}

it('moves what is set aside to its day', async () => {
  const { store, siteId, oracle } = await countedBefore(setAside)
  const rules = rulesOf(store, siteId)
  await rules.compare()
  await rules.recount()
  const days = ['2026-11-26', '2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30', '2026-12-01']
  const compare = async () => {
    for (const [index, from] of days.entries())
      for (const to of days.slice(index))
        expect((await store.overview({ siteId, from, to })).aside, `${from} to ${to}`).toEqual(
          oracle.overview({ siteId, from, to }).aside,
        )
  }
  await compare()
  expect(rules.counters.auditMismatches).toBe(0)
  // The servers' own purchases take the place of those that orders counted by.
  const later = ['o0', 'o1', 'o2'].map((orderId) =>
    samplePurchase(
      { siteId, occurredAt: Date.parse('2026-11-29T20:00:00Z'), userId: 'omar', sessionId: 'omar' },
      { orderId, revenue: 21 },
    ),
  )
  await store.insertBatch(sampleBatch(...later))
  oracle.insertBatch({ id: 'later', events: later })
  await compare()
  await store.close()
})

it('finds days that gained as many events as they lost, between those that did not', async () => {
  const { store, siteId, oracle } = await countedBefore((id) =>
    ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'].map((day) =>
      event(id, `${day}T07:30:00Z`, { userId: 'lena', sessionId: day }),
    ),
  )
  const rules = rulesOf(store, siteId)
  await rules.compare()
  await rules.recount()
  const range = { siteId, from: '2026-11-01', to: '2026-12-31' }
  expect(await store.overview(range)).toEqual(oracle.overview(range))
  expect(rules.counters.auditMismatches).toBe(0)
  await store.close()
})

/** A store in which the named statements changed figures behind its back. */
async function spoiled(zones: { asBefore: string; now: string }, ...statements: string[]) {
  const made = await countedBefore(affected, zones)
  await made.store.close()
  const db = await Database.open(made.path)
  for (const statement of statements) db.exec(statement)
  db.close()
  return { ...made, store: await createSqliteStore({ path: made.path, readers: 1 }) }
}

const wrongDay = 'UPDATE days SET events = 7 WHERE day_no = (SELECT min(day_no) FROM days)'

it.each([
  ['no rules changed', { asBefore: vancouver, now: vancouver }],
  ['rules changed, of other days', { asBefore, now: vancouver }],
])('tells of figures that no rules make, and counts them: %s', async (_, zones) => {
  const { store, siteId } = await spoiled(zones, wrongDay, "UPDATE users SET events = 50 WHERE user_id = 'omar'")
  const rules = rulesOf(store, siteId)
  await rules.compare()
  await rules.recount()
  expect(rules.counters.auditMismatches).toBe(2)
  expect(rules.errors).toEqual([
    expect.stringMatching(/^figures of users differed .*"figure":"events","stored":50,"counted":2/),
    expect.stringMatching(/^figures differed .*"days":\["2026-11-20".*"figure":"events","stored":7,"counted":1/),
  ])
  expect(rules.errors.join()).not.toContain('omar')
  expect((await store.auditDay({ siteId, day: '2026-11-20', mend: false })).verdict).toBe('equal')
  // Each once.
  const next = rulesOf(store, siteId)
  await next.compare()
  await next.recount()
  expect(next.counters.auditMismatches).toBe(0)
  await store.close()
})

it('takes what an interrupted count left for no wrong figure, and the next wrong one for wrong', async () => {
  const { store, siteId, path } = await countedBefore(affected)
  let isEnded = false
  const auditDay: Store['auditDay'] = async (query) => {
    if (isEnded) throw new Error('The process ended.')
    isEnded = query.day === '2026-11-28'
    return store.auditDay(query)
  }
  const interrupted = rulesOf({ ...store, auditDay }, siteId)
  await interrupted.compare()
  await expect(interrupted.recount()).rejects.toThrow('ended')
  const rules = rulesOf(store, siteId)
  await rules.compare()
  await rules.recount()
  rules.assertCounted()
  expect(rules.counters.auditMismatches).toBe(0)
  expect((await store.auditDay({ siteId, day: '2026-11-29', mend: false })).verdict).toBe('equal')
  await store.close()
  const db = await Database.open(path)
  db.exec(wrongDay)
  db.close()
  const later = await createSqliteStore({ path, readers: 1 })
  const next = rulesOf(later, siteId)
  await next.compare()
  await next.recount()
  expect(next.counters.auditMismatches).toBe(1)
  await later.close()
})

it('counts hours again that had been named by another instant than their first', async () => {
  const { store, siteId } = await countedBefore(
    (id) => [event(id, '2026-04-04T14:10:00Z'), event(id, '2026-04-04T15:10:00Z')],
    { asBefore: 'Asia/Kathmandu', now: 'Australia/Lord_Howe' },
  )
  const rules = rulesOf(store, siteId)
  await rules.compare()
  await rules.recount()
  expect(await store.hours({ siteId, from: '2026-04-01', to: '2026-04-30' })).toEqual([
    { start: Date.UTC(2026, 3, 4, 14), events: 1 },
    { start: Date.UTC(2026, 3, 4, 15), events: 1 },
  ])
  await store.close()
})

it('leaves figures alone that are of its own rules, and notes these', async () => {
  const { store, siteId } = await countedBefore(affected, { asBefore: vancouver, now: vancouver })
  const rules = rulesOf(store, siteId)
  await rules.compare()
  rules.assertCounted()
  const noted = JSON.parse((await store.moving.mark(`time zone rules of ${siteId}`)) ?? '{}')
  expect(noted).toMatchObject({ zone: vancouver, clock: clockText(vancouver) })
  await store.close()
})

it('lets a server with other rules store nothing any more', async () => {
  const { store, siteId } = await countedBefore(affected)
  const rules = rulesOf(store, siteId)
  await rules.compare()
  await rules.assertOwn()
  const others = { zone: vancouver, version: '2030a', clock: clockText(asBefore) }
  await store.moving.setMark(`time zone rules of ${siteId}`, JSON.stringify(others))
  await expect(rules.assertOwn()).rejects.toThrow(AppError)
  await store.moving.setMark(`time zone rules of ${siteId}`, JSON.stringify({ ...others, clock: clockText(vancouver) }))
  await rules.assertOwn()
  await store.close()
})
