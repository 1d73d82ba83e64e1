import { randomUUID } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeStore } from '../conformance.ts'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { createSqliteStore } from './store.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()

describeStore('sqlite', async () => {
  const options = { path: join(await newFolder(), 'veritas.db'), readers: 2 }
  const store = await createSqliteStore(options)
  return {
    store,
    reopen: async () => {
      await store.close()
      return createSqliteStore(options)
    },
  }
})

describe('sqlite file', () => {
  it('makes missing folders and leaves one file behind after close', async () => {
    const folder = await newFolder()
    const path = join(folder, 'a', 'b', 'veritas.db')
    const store = await createSqliteStore({ path, readers: 1 })
    const { id: siteId } = await store.saveSite(sampleSite())
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    await store.close()
    expect((await stat(path)).size).toBeGreaterThan(0)
    await expect(stat(`${path}-wal`)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('keeps what it is told to keep safe: WAL mode, synced commits, strict tables', async () => {
    const path = join(await newFolder(), 'veritas.db')
    const db = await Database.open(path)
    migrate(db)
    expect(db.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' })
    const loose = db.all<{ name: string }>(
      `SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'`,
    )
    expect(loose).toEqual([])
    db.close()
  })

  it.each([
    ['a file that is no database', 'no database at all, '.repeat(500), /not a SQLite database/],
    ['a database cut short', undefined, /damaged|not a SQLite database/],
  ])('says in one line that it cannot open %s', async (_, content, message) => {
    const path = join(await newFolder(), 'veritas.db')
    if (content === undefined) {
      await (await createSqliteStore({ path, readers: 1 })).close()
      const whole = await readFile(path)
      await writeFile(path, Buffer.concat([whole.subarray(0, 100), Buffer.alloc(9000, 0xff)]))
    } else await writeFile(path, content)
    const error = await createSqliteStore({ path, readers: 1 }).catch((caught: Error) => caught)
    expect(error).toMatchObject({ name: 'AppError', code: 'unavailable' })
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).toContain(path)
    expect((error as Error).message).not.toContain('\n')
  })

  it('says in one line that its place is a folder or inside a file', async () => {
    const folder = await newFolder()
    await mkdir(join(folder, 'veritas.db'))
    await writeFile(join(folder, 'file'), '')
    for (const path of [join(folder, 'veritas.db'), join(folder, 'file', 'veritas.db')])
      await expect(createSqliteStore({ path, readers: 1 })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('refuses a store of a newer Veritas and a database of another program, and changes neither', async () => {
    const folder = await newFolder()
    const newer = join(folder, 'newer.db')
    await (await createSqliteStore({ path: newer, readers: 1 })).close()
    const other = join(folder, 'other.db')
    const otherDb = await Database.open(other)
    otherDb.exec('CREATE TABLE notes (note TEXT)')
    otherDb.close()
    const newerDb = await Database.open(newer)
    newerDb.exec('PRAGMA user_version = 999')
    newerDb.close()
    for (const [path, message] of [
      [newer, /newer Veritas/],
      [other, /another program/],
    ] as const) {
      const before = await readFile(path)
      await expect(createSqliteStore({ path, readers: 1 })).rejects.toThrow(message)
      expect((await readFile(path)).equals(before)).toBe(true)
    }
  })
})

describe('two stores of one file', () => {
  it('may be made at the same moment and share what is written', async () => {
    const path = join(await newFolder(), 'veritas.db')
    const stores = await Promise.all([1, 2, 3].map(() => createSqliteStore({ path, readers: 1 })))
    const { id: siteId } = await stores[0]!.saveSite(sampleSite())
    // Each writes for visits of the others too, so that nobody may trust rows that it wrote itself.
    const twice = samplePurchase({ siteId, userId: 'user-0' })
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const own = sampleEvent({ siteId, userId: `user-${n % 4}`, sessionId: `session-${n % 8}` })
        return stores[n % 3]!.insertBatch(sampleBatch(own, twice))
      }),
    )
    expect(outcomes.reduce((sum, outcome) => sum + outcome.stored, 0)).toBe(61)
    for (const store of stores) {
      expect(await store.totals(siteId)).toMatchObject({ events: 61, users: 4 })
      expect(await store.user({ siteId, userId: 'user-0' })).toMatchObject({ events: 16, orders: 1 })
    }
    await Promise.all(stores.map((store) => store.close()))
  })

  it('give one outcome to a batch that both run', async () => {
    const path = join(await newFolder(), 'veritas.db')
    const stores = await Promise.all([1, 2].map(() => createSqliteStore({ path, readers: 1 })))
    const { id: siteId } = await stores[0]!.saveSite(sampleSite())
    const batch = sampleBatch(sampleEvent({ siteId }), sampleEvent({ siteId }))
    const outcomes = await Promise.all(stores.map((store) => store.insertBatch(batch)))
    expect(outcomes[0]).toEqual(outcomes[1])
    expect((await stores[1]!.totals(siteId)).events).toBe(2)
    await Promise.all(stores.map((store) => store.close()))
  })
})

describe('ledger', () => {
  it('forgets batches beyond the newest ten thousand', async () => {
    const path = join(await newFolder(), 'veritas.db')
    const store = await createSqliteStore({ path, readers: 1 })
    const db = await Database.open(path)
    db.exec(`WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10005)
      INSERT INTO batches (batch_no, id, outcome) SELECT n, 'old-' || n, '{}' FROM n`)
    await store.insertBatch({ id: randomUUID(), events: [] })
    expect(db.get('SELECT count(*) AS kept, min(batch_no) AS oldest FROM batches')).toEqual({ kept: 10000, oldest: 7 })
    db.close()
    await store.close()
  })
})
