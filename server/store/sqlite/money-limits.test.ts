import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MOST_GROSS } from '../figures.ts'
import { NOON, sampleBatch, samplePurchase, sampleSite } from '../sample-events.ts'
import { Database } from './database.ts'
import { createSqliteStore } from './store.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()

it('answers every question although somebody posts orders that no number can hold together', async () => {
  const store = await createSqliteStore({ path: join(await newFolder(), 'veritas.db'), readers: 1 })
  const { id: siteId } = await store.saveSite(sampleSite())
  for (let batch = 0; batch < 6; batch++) {
    const orders = Array.from({ length: 2000 }, (_, n) =>
      samplePurchase({ siteId }, { orderId: `huge-${batch}-${n}`, revenue: 9_999_999_999.99 }),
    )
    expect(await store.insertBatch(sampleBatch(...orders))).toMatchObject({ stored: 2000 })
  }
  const most = [expect.objectContaining({ orders: 12_000, gross: Number.MAX_SAFE_INTEGER })]
  const day = new Date(NOON).toISOString().slice(0, 10)
  expect((await store.overview({ siteId, from: day, to: day })).money).toEqual(most)
  const { users } = await store.listUsers({ siteId, sort: 'orders', order: 'desc', limit: 10 })
  expect(users[0]?.money).toEqual(most)
  expect((await store.sessions({ siteId, userId: users[0]!.userId, limit: 10 }))[0]?.money).toEqual(most)
  await store.close()
})

it('takes orders although their sum nears the largest integer of SQLite, and mends a day without losing any of it', async () => {
  const path = join(await newFolder(), 'veritas.db')
  let store = await createSqliteStore({ path, readers: 1 })
  const { id: siteId } = await store.saveSite(sampleSite())
  const insertOrder = (n: number) =>
    store.insertBatch(sampleBatch(samplePurchase({ siteId }, { orderId: `huge-${n}`, revenue: 9_999_999_999.99 })))
  await insertOrder(1)
  const day = new Date(NOON).toISOString().slice(0, 10)
  const edit = async (sql: string) => {
    await store.close()
    const db = await Database.open(path)
    db.exec(sql)
    const sums = db.all<{ gross: string }>('SELECT CAST(gross AS TEXT) AS gross FROM day_money')
    db.close()
    store = await createSqliteStore({ path, readers: 1 })
    return sums.map(({ gross }) => gross)
  }
  const tables = ['day_money', 'user_money', 'session_money']
  await edit(tables.map((table) => `UPDATE ${table} SET gross = 4611686018427387900`).join(';'))
  expect(await insertOrder(2)).toMatchObject({ stored: 1 })
  expect(await edit('SELECT 1')).toEqual([String(2n ** 62n - 1n)])
  expect(await store.auditDay({ siteId, day, mend: true })).toMatchObject({
    verdict: 'mended',
    differences: [{ figure: 'gross in EUR', stored: 2 ** 62, counted: 2 * 999_999_999_999 }],
  })
  // More than a number holds, all of it in the day's row.
  const orders = Array.from({ length: 9100 }, (_, n) =>
    samplePurchase({ siteId }, { orderId: `more-${n}`, revenue: 9_999_999_999.99 }),
  )
  await store.insertBatch(sampleBatch(...orders))
  await edit('UPDATE days SET events = 1')
  expect((await store.auditDay({ siteId, day, mend: true })).verdict).toBe('mended')
  expect(await edit('SELECT 1')).toEqual([String(9102n * 999_999_999_999n)])
  await store.close()
})

it('keeps verified sums exact although what browsers claim has come to all that can be kept', async () => {
  const path = join(await newFolder(), 'veritas.db')
  let store = await createSqliteStore({ path, readers: 1 })
  const { id: siteId } = await store.saveSite(sampleSite())
  const insert = (orderId: string, trust: 'verified' | 'claimed', revenue: number) =>
    store.insertBatch(sampleBatch(samplePurchase({ siteId, trust }, { orderId, revenue })))
  await insert('stated', 'verified', 12.34)
  await insert('claimed', 'claimed', 0)
  await store.close()
  const db = await Database.open(path)
  for (const table of ['day_money', 'user_money', 'session_money'])
    db.exec(`UPDATE ${table} SET claimed_gross = ${MOST_GROSS - 5n}, gross = gross + ${MOST_GROSS - 5n}`)
  db.close()
  store = await createSqliteStore({ path, readers: 1 })
  for (const n of [1, 2]) await insert(`more-${n}`, 'claimed', 9_999_999_999.99)
  await insert('stated-too', 'verified', 0.01)
  const most = { gross: Number.MAX_SAFE_INTEGER, isMore: true }
  const money = [{ orders: 5, ...most, verified: { orders: 2, gross: 1235 }, claimed: { orders: 3, ...most } }]
  const day = new Date(NOON).toISOString().slice(0, 10)
  expect(await store.overview({ siteId, from: day, to: day })).toMatchObject({ money, days: [{ money }] })
  const { users } = await store.listUsers({ siteId, sort: 'orders', order: 'desc', limit: 10 })
  expect(users).toMatchObject([{ money }])
  await store.close()
})
