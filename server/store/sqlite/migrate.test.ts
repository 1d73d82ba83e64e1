import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()
const steps = ['CREATE TABLE one (n INTEGER) STRICT', 'CREATE TABLE two (n INTEGER) STRICT; INSERT INTO one VALUES (1)']

async function open(): Promise<Database> {
  return Database.open(join(await newFolder(), 'veritas.db'))
}

describe('migrate', () => {
  it('runs each step once, in order', async () => {
    const db = await open()
    migrate(db, steps.slice(0, 1))
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: 1 })
    migrate(db, steps)
    migrate(db, steps)
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: 2 })
    expect(db.all('SELECT n FROM one')).toEqual([{ n: 1 }])
    db.close()
  })

  it('leaves no trace of a step that fails', async () => {
    const db = await open()
    expect(() => migrate(db, [...steps, 'CREATE TABLE three (n INTEGER); INSERT INTO nowhere VALUES (1)'])).toThrow()
    expect(db.get('PRAGMA user_version')).toEqual({ user_version: 2 })
    expect(db.get(`SELECT name FROM sqlite_master WHERE name = 'three'`)).toBeUndefined()
    db.close()
  })

  it('looks again once the file is its own: another may have been faster', async () => {
    const path = join(await newFolder(), 'veritas.db')
    const [slow, fast] = [await Database.open(path), await Database.open(path)]
    const write = slow.write.bind(slow)
    // The other process gets in between the look at the version and the lock.
    slow.write = (work) => {
      migrate(fast, steps)
      return write(work)
    }
    migrate(slow, steps)
    expect(slow.all('SELECT n FROM one')).toEqual([{ n: 1 }])
    slow.close()
    fast.close()
  })
})
