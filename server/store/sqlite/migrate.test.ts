import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Database } from './database.ts'
import { formatOf } from './format.ts'
import { migrate, openMigrated } from './migrate.ts'
import { type SqliteStep, sqliteSteps } from './migrations/steps.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()
const released = sqliteSteps.slice(0, 4)
const adds: SqliteStep = {
  name: 'adds a column',
  kind: 'adds',
  run: `ALTER TABLE marks ADD COLUMN note TEXT; INSERT INTO marks (name, value) VALUES ('added', '1')`,
}
const changes: SqliteStep = {
  name: 'counts anew',
  kind: 'changes',
  run(db, progress) {
    db.exec(`UPDATE marks SET value = value || ' anew'`)
    progress(1, 1)
  },
}

async function newPath(): Promise<string> {
  return join(await newFolder(), 'veritas.db')
}

/** A store of the first release with a mark in it, whose programs have closed it. */
async function releasedStore(): Promise<string> {
  const path = await newPath()
  const db = await openMigrated(path, { steps: released })
  // It knows nothing of a list of steps.
  db.exec(`DROP TABLE store_steps; INSERT INTO marks (name, value) VALUES ('figure', '1')`)
  db.close()
  return path
}

function marksOf(db: Database): Record<string, string> {
  // Without prepared statements, so that closing lets go of the file.
  return Object.fromEntries(db.values(`name || '=' || value`, 'marks').map((pair) => String(pair).split('=')))
}

/** What a program does that knows these steps only. */
async function openWith(path: string, steps: readonly SqliteStep[]): Promise<Record<string, string>> {
  const db = await openMigrated(path, { steps, aloneTimeoutMs: 0 })
  try {
    return marksOf(db)
  } finally {
    db.close()
  }
}

it('a store that another start is making for longer than a statement waits is waited for', async () => {
  const path = await newPath()
  let tries = 0
  const slow: SqliteStep = {
    name: 'finds the file locked',
    kind: 'adds',
    run(db) {
      tries += 1
      if (tries < 3) throw Object.assign(new Error('database is locked'), { errcode: 5 })
      db.exec(`INSERT INTO marks (name, value) VALUES ('made', 'at last')`)
    },
  }
  const steps = [...released, slow]
  await expect(openMigrated(path, { steps, aloneTimeoutMs: -1 })).rejects.toThrow('locked')
  const db = await openMigrated(path, { steps })
  expect(marksOf(db)).toEqual({ made: 'at last' })
  expect(tries).toBe(3)
  db.close()
})

describe('a store of an older format', () => {
  it('gets each step once, in order', async () => {
    const path = await releasedStore()
    const db = await openMigrated(path, { steps: [...released, adds] })
    migrate(db, { steps: [...released, adds] })
    expect(marksOf(db)).toEqual({ figure: '1', added: '1' })
    expect(db.values('name', 'store_steps')).toEqual(['adds a column'])
    db.close()
  })

  it('keeps no trace of a step that fails, nor of those before it', async () => {
    const path = await releasedStore()
    const broken: SqliteStep = { name: 'breaks', kind: 'adds', run: 'INSERT INTO nowhere VALUES (1)' }
    await expect(openMigrated(path, { steps: [...released, adds, broken] })).rejects.toThrow(/nowhere/)
    expect(await openWith(path, released)).toEqual({ figure: '1' })
  })

  it('is looked at again once the file is its own: another may have been faster', async () => {
    const path = await releasedStore()
    const steps = [...released, adds]
    const [slow, fast] = [await Database.open(path), await Database.open(path)]
    const write = slow.write.bind(slow)
    // The other process gets in between the look at the format and the lock.
    slow.write = (work) => {
      migrate(fast, { steps })
      return write(work)
    }
    migrate(slow, { steps })
    expect(formatOf(slow)).toEqual({ format: 5, oldestReader: 4 })
    slow.close()
    fast.close()
  })
})

describe('the release before', () => {
  it('reads and writes a store to which steps have only added, and may be followed again', async () => {
    const path = await releasedStore()
    const newer = [...released, adds]
    expect(await openWith(path, newer)).toEqual({ figure: '1', added: '1' })
    const before = await openMigrated(path, { steps: released })
    // Its own look at the file: user_version, as every release has it.
    expect(before.values('user_version', 'pragma_user_version')).toEqual([4])
    before.exec(`INSERT INTO marks (name, value) VALUES ('later', '2')`)
    before.close()
    expect(await openWith(path, newer)).toEqual({ figure: '1', added: '1', later: '2' })
  })

  it('refuses a store that a step has changed, and says what to do', async () => {
    const path = await releasedStore()
    await openWith(path, [...released, changes])
    const message = /newer Veritas \(its format is 5, this one knows 4\).*npm run store -- put-back/
    await expect(openWith(path, released)).rejects.toMatchObject({ code: 'unavailable', message })
    // A later step that only adds does not need more of a program.
    await openWith(path, [...released, changes, adds])
    expect(await openWith(path, [...released, changes])).toEqual({ figure: '1 anew', added: '1' })
  })

  it('opens the copy that is kept before a step changes the store', async () => {
    const path = await releasedStore()
    const told = vi.fn()
    const db = await openMigrated(path, { steps: [...released, adds, changes], onProgress: told })
    expect(told).toHaveBeenCalledWith({ step: 'counts anew', done: 1, of: 1 })
    expect(db.values('journal_mode', 'pragma_journal_mode')).toEqual(['wal'])
    db.close()
    expect(await openWith(`${path}.before-5`, released)).toEqual({ figure: '1' })
    expect(readdirSync(dirname(path)).filter((name) => name.includes('before'))).toEqual(['veritas.db.before-5'])
  })
})

describe('a step that changes a store', () => {
  it('keeps one copy at most, and none for longer than a month', async () => {
    const path = await releasedStore()
    await openWith(path, [...released, changes])
    const steps = [...released, changes, changes]
    await openWith(path, steps)
    expect(existsSync(`${path}.before-5`)).toBe(false)
    expect(existsSync(`${path}.before-6`)).toBe(true)
    const monthAgo = (Date.now() - 31 * 86_400_000) / 1000
    utimesSync(`${path}.before-6`, monthAgo, monthAgo)
    await openWith(path, steps)
    expect(existsSync(`${path}.before-6`)).toBe(false)
  })

  it('leaves everything as it was while another program has it open, and waits for its end', async () => {
    const path = await releasedStore()
    const steps = [...released, changes]
    const other = await openMigrated(path, { steps: released })
    await expect(openMigrated(path, { steps, aloneTimeoutMs: 0 })).rejects.toMatchObject({
      code: 'unavailable',
      message: /newer format \(counts anew\), and another program has it open/,
    })
    other.exec(`INSERT INTO marks (name, value) VALUES ('meanwhile', '1')`)
    expect(readdirSync(dirname(path)).filter((name) => name.includes('before'))).toEqual([])
    other.close()
    expect(await openWith(path, steps)).toEqual({ figure: '1 anew', meanwhile: '1 anew' })
  })

  it('begins again where another program came in after the copy', async () => {
    const path = await releasedStore()
    const steps = [...released, changes]
    const db = await Database.open(path)
    const intruder = await Database.open(path)
    const alone = db.alone.bind(db)
    db.alone = (work) => {
      intruder.exec(`INSERT INTO marks (name, value) VALUES ('between', '1')`)
      return alone(work)
    }
    expect(() => migrate(db, { steps })).toThrow(/another program has it open/)
    intruder.close()
    db.close()
    expect(await openWith(path, steps)).toEqual({ figure: '1 anew', between: '1 anew' })
    expect(await openWith(`${path}.before-5`, released)).toEqual({ figure: '1', between: '1' })
  })

  it('needs neither a copy nor to be alone in a store that it makes', async () => {
    const path = await newPath()
    const both = [...released, changes]
    const [one, two] = await Promise.all([openMigrated(path, { steps: both }), openMigrated(path, { steps: both })])
    expect(formatOf(one)).toEqual({ format: 5, oldestReader: 5 })
    expect(readdirSync(dirname(path)).filter((name) => name.includes('before'))).toEqual([])
    one.close()
    two.close()
  })
})
