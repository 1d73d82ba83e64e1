import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { allOf } from '../../all-figures.ts'
import { Database } from '../database.ts'
import { openMigrated } from '../migrate.ts'
import { createSqliteStore } from '../store.ts'
import { testFolder } from '../test-folder.ts'

const newFolder = testFolder()

/**
 * A store that the release before has left, under Node 20.20: two sites, 360 events, orders in nine currencies, most of
 * them repeated, in texts, small letters and what is no amount.
 */
async function storeOfBefore(): Promise<string> {
  const path = join(await newFolder(), 'veritas.db')
  await writeFile(path, gunzipSync(await readFile(new URL('format-4.db.gz', import.meta.url))))
  return path
}

const sites = ['default', 'other']

async function expectLikeFresh(path: string): Promise<void> {
  const store = await createSqliteStore({ path, readers: 1 })
  const fresh = await createSqliteStore({ path: join(await newFolder(), 'fresh.db'), readers: 1 })
  for (const siteId of sites) {
    const own = await allOf(store, siteId)
    expect(own.events.length).toBeGreaterThan(50)
    await fresh.saveSite((await store.site(siteId))!)
    await fresh.insertBatch({ id: siteId, events: own.events })
    expect(own).toEqual(await allOf(fresh, siteId))
  }
  const { money, aside } = await store.overview({ siteId: 'default', from: '2026-01-01', to: '2026-12-31' })
  // What one runtime took for no decimals has two now, and three.
  expect(money.find(({ currency }) => currency === 'HUF')).toMatchObject({ decimals: 2 })
  expect(money.find(({ currency }) => currency === 'IQD')).toMatchObject({ decimals: 3 })
  expect(money.some(({ currency }) => currency === 'XXX')).toBe(false)
  expect(aside.length).toBeGreaterThan(5)
  await store.close()
  await fresh.close()
}

describe('orders of a store of the release before', () => {
  it('come to what they come to in a new store', async () => {
    await expectLikeFresh(await storeOfBefore())
  })

  it('are as they were where the step is cut short anywhere, and are counted by the next start', async () => {
    const before = await figuresOf(await storeOfBefore())
    const told: number[] = []
    for (const end of [0, 1]) {
      const path = await storeOfBefore()
      let calls = 0
      await expect(
        openMigrated(path, {
          onProgress: ({ done, of }) => {
            told.push(done)
            expect(done).toBeLessThanOrEqual(of)
            if (calls++ >= end) throw new Error('cut short')
          },
        }),
      ).rejects.toThrow('cut short')
      expect(await figuresOf(path)).toEqual(before)
      if (end === 1) await expectLikeFresh(await copyOf(path))
    }
    expect(new Set(told).size).toBe(2)
  })
})

/** Of a connection that was closed the package may hold the file open still. */
async function copyOf(path: string): Promise<string> {
  const copy = join(await newFolder(), 'copy.db')
  await copyFile(path, copy)
  return copy
}

async function figuresOf(path: string): Promise<unknown[][]> {
  const db = await Database.open(await copyOf(path))
  const tables = ['orders', 'user_money', 'session_money', 'day_money', 'days', 'users', 'sessions']
  const rows = tables.map((table) => db.all(`SELECT * FROM ${table}`))
  db.close()
  return rows
}
