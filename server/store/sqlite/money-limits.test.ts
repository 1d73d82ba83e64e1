import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NOON, sampleBatch, samplePurchase, sampleSite } from '../sample-events.ts'
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
