import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { storeName } from '../scripts/open.ts'
import { hashToken } from '../server/accounts/tokens.ts'
import { createWriteKey } from '../server/accounts/write-keys.ts'
import { sampleEvent, sampleSite } from '../server/store/sample-events.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import type { Store } from '../server/store/store.ts'
import { createConflicts } from '../server/writer/conflicts.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { temporaryFolder } from './server.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** A title, a cleared screen, a bell, the start of the line, colors by C1, turned text, a line of its own. */
const hostile = 'a\u001b]0;owned\u0007\u001b[2J\r\u009b31m\u202ekcatta\u2066\u007f\nb\tc'
const obeyed = /[\p{Cc}\p{Bidi_C}\u2028\u2029]/u
const DASHED = `-${'a'.repeat(42)}`

interface How {
  env?: Record<string, string>
  uid?: number
}

function run(script: string, args: readonly string[], { env = {}, uid }: How = {}) {
  const { PATH, HOME } = process.env
  const ended = spawnSync(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], {
    cwd: root,
    env: { PATH, HOME, NODE_ENV: 'production', ...env },
    encoding: 'utf8',
    ...(uid !== undefined && { uid }),
  })
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}

async function withStoreIn<T>(dataDir: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await createSqliteStore({ path: join(dataDir, 'veritas.db'), readers: 1 })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const event = sampleEvent({ siteId: 'default', userId: hostile, eventId: hostile, payload: { [hostile]: hostile } })
const addLetter = () =>
  createDeadLetters({ dir: join(dataDir, 'dead-letters') }).add([{ at: 1, reason: hostile, event }])

let dataDir: string
beforeAll(async () => {
  dataDir = temporaryFolder()
  await withStoreIn(dataDir, async (store) => {
    await store.saveSite(sampleSite({ id: 'default', name: hostile }))
    const account = { id: 'a', email: 'ana@example.com', name: hostile, role: 'owner', passwordHash: 'x', createdAt: 1 }
    await store.accounts.create({ ...account, role: 'owner' })
    for (const tokenHash of [DASHED, 'd'.repeat(43)])
      await store.accounts.createToken({ tokenHash, name: hostile, accountId: null, createdAt: 1 })
    for (const keyHash of [DASHED, 'd'.repeat(43)]) {
      const key = { siteId: 'default', kind: 'pk' as const, eventsPerSecond: null, origins: null, createdAt: 1 }
      await store.keys.create({ ...key, keyHash, name: hostile })
    }
  })
  await addLetter()
  await createConflicts({ dir: join(dataDir, 'conflicts') }).add([event], 1)
})

describe('what strangers sent', () => {
  it.each([
    ['accounts', 'list'],
    ['tokens', 'list'],
    ['keys', 'list'],
    ['site'],
    ['sites', 'list'],
    ['dead-letters', 'list'],
    ['dead-letters', 'conflicts'],
    ['dead-letters', 'replay'],
    ['keys', 'revoke', hostile],
    ['audit', hostile],
  ])('commands no terminal: npm run %s %s', (script, ...args) => {
    const { stdout, stderr } = run(script, [...args, '--data-dir', dataDir])
    expect(stdout + stderr).not.toBe('')
    for (const line of (stdout + stderr).split('\n')) expect(line.replaceAll('\t', '')).not.toMatch(obeyed)
    // A name makes no line and no field of its own.
    if (args[0] === 'list') for (const line of stdout.split('\n')) expect(line).not.toMatch(/^b|\tc/)
  })

  it('commands no terminal where one dead letter is shown, which stays JSON', async () => {
    await addLetter()
    const [id] = run('dead-letters', ['list', '--data-dir', dataDir]).stdout.split('\t')
    const { stdout } = run('dead-letters', ['show', id!, '--data-dir', dataDir])
    expect(stdout.replaceAll('\n', '')).not.toMatch(obeyed)
    expect(JSON.parse(stdout)).toMatchObject({ reason: hostile, event: { payload: { [hostile]: hostile } } })
  })

  it('ends without a word when its reader has enough', () => {
    const command = `"$0" --import tsx scripts/keys.ts list --data-dir "$1" | true; echo "\${PIPESTATUS[0]}"`
    const { PATH, HOME } = process.env
    const ended = spawnSync('bash', ['-c', command, process.execPath, dataDir], {
      cwd: root,
      env: { PATH, HOME, NODE_ENV: 'production' },
      encoding: 'utf8',
    })
    expect(ended.stdout).toBe('141\n')
    expect(ended.stderr).toMatch(/^(Store: .*\n)?$/)
  })
})

describe('an id that begins with a dash', () => {
  it.each(['keys', 'tokens'])('can be revoked: npm run %s', async (script) => {
    const id = DASHED.slice(0, 12)
    const count = () =>
      withStoreIn(dataDir, async ({ keys, accounts }) =>
        script === 'keys' ? (await keys.list('default')).length : (await accounts.listTokens()).length,
      )
    expect(run(script, ['revoke', id, '--data-dir', dataDir])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--help'),
    })
    expect(run(script, ['revoke', `--id=${id}`, '--data-dir', dataDir])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Revoked ${id}`),
    })
    expect(run(script, ['revoke', '--data-dir', dataDir, '--', 'd'.repeat(12)]).code).toBe(0)
    expect(await count()).toBe(0)
  })

  it('is given to no new key', async () => {
    const hashes: string[] = []
    const store = { create: async ({ keyHash }: { keyHash: string }) => void hashes.push(keyHash) }
    const key = { siteId: 's', kind: 'pk', name: '', eventsPerSecond: null, origins: null, createdAt: 1 } as const
    // One of 64 would have one.
    for (let made = 0; made < 2000; made++) {
      const text = await createWriteKey(store, key)
      expect(hashToken(text)).toBe(hashes.at(-1))
    }
    expect(hashes.filter((hash) => hash.startsWith('-'))).toEqual([])
  })
})

describe('wrong options', () => {
  it.each([
    ['keys', ['create', '--kind', 'pk'], 'rate'],
    ['dead-letters', ['list'], 'limit'],
    ['retention', ['--dry-run'], 'months'],
    ['seed', [], 'events'],
    ['mongo', ['shard', '--url', 'mongodb://127.0.0.1:1/x'], 'months'],
    ['oracle', [], 'shops'],
    ['load', [], 'rate'],
  ])('npm run %s refuses numbers that are none, by name', (script, args, option) => {
    const ended = run(script, [...args, `--${option}=1e300`], { env: { DATA_DIR: dataDir } })
    expect(ended.stderr.trim()).toMatch(
      new RegExp(`^--${option} 1e300: must be a whole number from \\d+ to [\\d,]+\\.$`),
    )
    expect(ended.stdout).toBe('')
    expect(ended.code).toBe(2)
  })

  it.each([
    [
      'keys',
      ['create', '--rate', '0', '--origin', 'x/y', '--name', 'n'.repeat(101)],
      ['--kind', '--rate', '--origin', '--name'],
    ],
    ['restore', [], ['--from', '--into']],
    ['export', [], ['--day', '--to']],
    ['site', ['--name', ' ', '--currency', 'X', '--time-zone', 'Nowhere'], ['--name', '--currency', '--time-zone']],
  ])('npm run %s tells all of them at once', (script, args, names) => {
    const { code, stderr } = run(script, args, { env: { DATA_DIR: dataDir } })
    expect(code).toBe(2)
    const told = stderr.split('\n').filter((line) => line.startsWith('--'))
    expect(told.map((line) => /^--[\w-]+/.exec(line)![0]).sort()).toEqual([...names].sort())
  })
})

describe('the store of a command', () => {
  it('is told on standard error, without a login', () => {
    expect(run('keys', ['list', '--data-dir', dataDir]).stderr).toBe(`Store: ${join(dataDir, 'veritas.db')}\n`)
    const mongoUrl = 'mongodb://ana:s%40/cret@a:1,b:2/shop?authSource=admin'
    expect(storeName({ mongoUrl: 'mongodb://ana:s%40cret@a:1,b:2/shop?authSource=admin', storePath: '' })).toBe(
      'mongodb://a:1,b:2/shop',
    )
    expect(storeName({ mongoUrl, storePath: '' })).not.toContain('cret@')
  })

  it('is not made by a command that only looks', () => {
    const empty = temporaryFolder()
    const missing = join(empty, 'missing')
    for (const [script, ...args] of [
      ['audit'],
      ['backup', '--to', join(empty, 'backup.tar.gz')],
      ['dead-letters', 'list'],
      ['export', '--day', '2026-01-01', '--to', join(empty, 'exports')],
      ['setup-code'],
      ['store', 'status'],
    ] as [string, ...string[]][]) {
      const { code, stdout, stderr } = run(script, args, { env: { DATA_DIR: missing } })
      expect(stderr).toMatch(/There is no (store at|folder) .*missing/)
      expect(stdout).toBe('')
      expect(code).toBe(1)
    }
    expect(readdirSync(empty)).toEqual([])
  })

  it.skipIf(process.getuid?.() !== 0)('is not taken for missing where this user may not look', async () => {
    const nobody = 65_534
    const folder = temporaryFolder()
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    await withStoreIn(closed, async (store) => void (await store.saveSite(sampleSite({ id: 'default' }))))
    chmodSync(folder, 0o755)
    const as = { uid: nobody, env: { DATA_DIR: closed, HOME: folder } }
    for (const [script, ...args] of [
      ['keys', 'list'],
      ['store', 'status'],
      ['migrate', '--from', `sqlite:${join(closed, 'veritas.db')}`, '--to', `sqlite:${join(folder, 'x.db')}`],
    ] as [string, ...string[]][]) {
      const { code, stderr } = run(script, args, as)
      expect(stderr).toMatch(/cannot be looked at by user \S+ \(EACCES\)/)
      expect(stderr).not.toContain('There is no')
      expect(code).toBe(1)
    }
    // One that may be looked at, and not be read.
    chmodSync(closed, 0o755)
    chmodSync(join(closed, 'veritas.db'), 0o600)
    expect(run('keys', ['list'], as).stderr).toMatch(/veritas\.db cannot be read and written by user \S+ \(EACCES\)/)
    // Nor is a folder of letters empty that cannot be read.
    mkdirSync(join(closed, 'dead-letters'), { mode: 0o700 })
    writeFileSync(join(closed, 'dead-letters', 'x.json'), '{}')
    chownSync(closed, nobody, nobody)
    const { code, stdout, stderr } = run('dead-letters', ['list'], as)
    expect(stderr).toMatch(/dead-letters: user \S+ may not use it \(EACCES\)/)
    expect(stdout).toBe('')
    expect(code).toBe(1)
    expect(existsSync(join(folder, 'x.db'))).toBe(false)
  })
})
