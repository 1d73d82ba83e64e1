import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Database, inTime, storeError } from './database.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()

async function open(): Promise<Database> {
  const db = await Database.open(join(await newFolder(), 'test.db'))
  db.exec('CREATE TABLE notes (note TEXT) STRICT')
  return db
}

function failure(work: () => void) {
  try {
    work()
  } catch (error) {
    return storeError(error)
  }
  return undefined
}

describe('database', () => {
  it('rolls back everything when a part fails, and goes on', async () => {
    const db = await open()
    expect(() =>
      db.write(() => {
        db.run('INSERT INTO notes VALUES (?)', 'lost')
        throw new Error('half way')
      }),
    ).toThrow('half way')
    db.write(() => db.run('INSERT INTO notes VALUES (?)', 'kept'))
    expect(db.all('SELECT note FROM notes')).toEqual([{ note: 'kept' }])
    db.close()
  })

  it('gives up a statement that would never end, and goes on', async () => {
    const db = await open()
    const endless = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
      SELECT count(*) AS n FROM numbers WHERE ${inTime('n')}`
    const late = failure(() => db.within(100, () => db.read(() => db.get(endless))))
    expect(late).toMatchObject({ code: 'unavailable', message: expect.stringContaining('took too long') })
    expect(failure(() => db.within(0, () => db.all('SELECT note FROM notes')))).toMatchObject({ code: 'unavailable' })
    db.write(() => db.run('INSERT INTO notes VALUES (?)', 'after it'))
    expect(db.within(60_000, () => db.all('SELECT note FROM notes'))).toEqual([{ note: 'after it' }])
    db.close()
  })

  it('shows a reader one state from its beginning to its end', async () => {
    const path = join(await newFolder(), 'test.db')
    const [reader, writer] = [await Database.open(path), await Database.open(path)]
    writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE notes (note TEXT) STRICT')
    const count = () => reader.get<{ notes: number }>('SELECT count(*) AS notes FROM notes')?.notes
    const counts = reader.read(() => {
      const before = count()
      writer.run('INSERT INTO notes VALUES (?)', 'meanwhile')
      return [before, count()]
    })
    expect(counts).toEqual([0, 0])
    expect(count()).toBe(1)
    reader.close()
    writer.close()
  })

  it('leaves a statement usable whose rows were not all taken', async () => {
    const db = await open()
    for (const note of ['a', 'b', 'c']) db.run('INSERT INTO notes VALUES (?)', note)
    const first = () => {
      for (const row of db.each<{ note: string }>('SELECT note FROM notes ORDER BY note')) return row.note
      return undefined
    }
    expect(db.read(() => [first(), first()])).toEqual(['a', 'a'])
    expect(db.write(() => db.run('DELETE FROM notes'))).toBe(3)
    db.close()
  })
})

describe('storeError', () => {
  it('tells a full disk, a read-only file and a busy file from a mistake of ours', async () => {
    const db = await open()
    db.exec('PRAGMA query_only = ON')
    expect(failure(() => db.exec('DELETE FROM notes'))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('read-only'),
    })
    db.exec('PRAGMA query_only = OFF; PRAGMA max_page_count = 3')
    expect(failure(() => db.run('INSERT INTO notes VALUES (?)', 'long'.repeat(10_000)))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('disk is full'),
    })
    expect(failure(() => db.exec('SELEC'))).toMatchObject({ code: 'internal' })
    db.close()
  })

  it.each([
    [3, 'does not permit'],
    [7, 'no memory'],
    [15, 'lock'],
  ])('blames no event for what SQLite numbers %i', (errcode, words) => {
    const error = storeError(Object.assign(new Error('words of SQLite'), { errcode }))
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(words) })
  })

  it('says that another process is writing', async () => {
    const path = join(await newFolder(), 'test.db')
    const [one, other] = [await Database.open(path), await Database.open(path)]
    other.exec('PRAGMA busy_timeout = 0')
    const error = one.write(() => failure(() => other.write(() => undefined)))
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('another process') })
    one.close()
    other.close()
  })
})
