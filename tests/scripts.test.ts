import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { listening } from '../scripts/launch.ts'
import { builtFiles, putInPlace } from '../scripts/prepare.mjs'
import type { Overview } from '../trpc/schema/stats.ts'
import { startServer, type TestServer, temporaryFolder } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

function npmRun(name: string, args: readonly string[], env: Record<string, string> = {}) {
  const [, ...command] = scripts[name]!.split(' ')
  const { PATH, HOME } = process.env
  const ended = spawnSync(process.execPath, [...command, ...args], {
    cwd: root,
    env: { PATH, HOME, NODE_ENV: 'production', ...env },
    encoding: 'utf8',
  })
  return { code: ended.status, stdout: ended.stdout.trim(), stderr: ended.stderr.trim() }
}

/** Whether any process of a group is left to take the signal. */
function isThere(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(group, signal)
  } catch {
    return false
  }
}

/** Evaluates an expression over scripts/prepare.mjs, which runs without the packages. */
function prepared(expression: string) {
  const code = `import * as prepare from ${JSON.stringify(join(root, 'scripts/prepare.mjs'))}; console.log(${expression})`
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
  return { code: ended.status, stdout: ended.stdout.trim(), stderr: ended.stderr.trim() }
}

describe('every command', () => {
  const own = Object.entries(scripts).filter(([, command]) => command.startsWith('node '))

  it.each(own.map(([name]) => name))('npm run %s -- --help says what it does and does nothing', (name) => {
    const { code, stdout, stderr } = npmRun(name, ['--help'])
    expect(stdout).toMatch(new RegExp(`^npm (run )?${name}\\b`))
    expect(stdout).toContain('--help')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const [, examples, exits] =
      /\n\nExamples\n((?: {2}\S.*\n)+)\nExit codes\n((?: {2}\d+ +\S.*\n?)+)$/.exec(stdout) ?? []
    for (const example of examples?.trim().split(/\n */) ?? [''])
      expect(example).toMatch(new RegExp(`^(\\w+=\\S+ )?npm (run )?${name}(?= -- |$)`))
    expect(exits).toMatch(/^ {2}0 .*\n {2}1 /)
  })

  it('refuses what it does not take in a whole sentence', () => {
    for (const name of ['invite', 'zone-rules']) {
      const { code, stderr } = npmRun(name, ['more'])
      expect(stderr).toBe("Unexpected argument 'more'. This command does not take positional arguments. See --help.")
      expect(code).toBe(2)
    }
  })

  it.each(['mutations', 'faults', 'zone-rules', 'check'])(
    'npm run %s ends without a word when nobody reads it',
    (name) => {
      const [, ...command] = scripts[name]!.split(' ')
      const pipe = `"$0" "$@" | true; echo "\${PIPESTATUS[0]}"`
      const { PATH, HOME } = process.env
      const ended = spawnSync('bash', ['-c', pipe, process.execPath, ...command, '--help'], {
        cwd: root,
        env: { PATH, HOME, NODE_ENV: 'production' },
        encoding: 'utf8',
      })
      expect(ended.stderr).toBe('')
      expect(['0\n', '141\n']).toContain(ended.stdout)
    },
  )
})

describe('npm start', () => {
  it('needs Node 20.19 and says so in one line', () => {
    for (const version of ['18.20.4', '20.18.9', '16.0.0']) {
      const { code, stderr } = prepared(`prepare.requireNode('${version}')`)
      expect(stderr).toMatch(new RegExp(`needs Node 20\\.19\\.0 or newer; this is Node ${version}`))
      expect(stderr.split('\n')).toHaveLength(1)
      expect(code).toBe(1)
    }
    for (const version of ['20.19.0', '20.20.2', '22.1.0', '24.0.0'])
      expect(prepared(`prepare.requireNode('${version}')`).code).toBe(0)
  })

  // A terminal's Ctrl+C reaches npm and everything it started; what is sent to npm alone has to find its way.
  it.each([
    ['SIGTERM', 'npm alone'],
    ['SIGINT', 'the terminal'],
  ] as const)('ends its server on %s sent to %s', async (signal, to) => {
    const { PATH, HOME } = process.env
    const npm = spawn('npm', ['start', '--', '--no-demo'], {
      cwd: root,
      env: { PATH, HOME, NODE_ENV: 'production', PORT: '0', DATA_DIR: temporaryFolder() },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    try {
      const url = await listening(npm)
      process.kill(to === 'the terminal' ? -npm.pid! : npm.pid!, signal)
      await eventually(async () => expect(isThere(-npm.pid!, 0)).toBe(false))
      await expect(fetch(`${url}/health/live`)).rejects.toThrow()
    } finally {
      isThere(-npm.pid!, 'SIGKILL')
    }
  })

  it('builds again for a changed source, and not for a changed test', () => {
    const copy = temporaryFolder()
    for (const path of ['app', 'trpc', 'vite.config.ts'])
      cpSync(join(root, path), join(copy, path), { recursive: true })
    mkdirSync(join(copy, 'server'))
    writeFileSync(join(copy, 'server/one.ts'), 'export const one = 1\n')
    const stamp = () => prepared(`prepare.sourceStamp(${JSON.stringify(copy)})`).stdout
    const first = stamp()
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    writeFileSync(join(copy, 'server/one.test.ts'), 'a test')
    writeFileSync(join(copy, 'README.md'), 'a page')
    expect(stamp()).toBe(first)
    writeFileSync(join(copy, 'server/one.ts'), 'export const one = 2\n')
    const second = stamp()
    expect(second).not.toBe(first)
    writeFileSync(join(copy, 'server/one.ts'), 'export const one = 1\n')
    expect(stamp()).toBe(first)
    writeFileSync(join(copy, 'server/two.ts'), '')
    expect(stamp()).not.toBe(first)
  })
})

describe('a build', () => {
  const built = (folder: string, names: Record<string, string>) => {
    for (const [name, content] of Object.entries(names)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    }
  }
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== '.files')
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort()

  it('takes the place of the one before, whose files stay until the next for who began with them', () => {
    const place = temporaryFolder()
    const build = (number: number) => {
      const next = join(place, '.next')
      built(next, {
        [`app/client/assets/page-${number}.js`]: '',
        'app/server/index.js': String(number),
        'server/index.js': String(number),
        [`server/shared-${number}.js`]: '',
      })
      putInPlace(next, place)
    }
    const of = (...numbers: number[]) => [
      ...numbers.map((number) => `app/client/assets/page-${number}.js`),
      'app/server/index.js',
      'server/index.js',
      ...numbers.map((number) => `server/shared-${number}.js`),
    ]
    build(1)
    build(2)
    expect(files(place)).toEqual(of(1, 2))
    expect(readFileSync(join(place, 'server/index.js'), 'utf8')).toBe('2')
    expect(builtFiles(place).sort()).toEqual(of(2))
    build(3)
    expect(files(place)).toEqual(of(2, 3))
  })

  it('is there at every moment of that: whoever asks finds what it began with, or all of the new one', () => {
    const place = temporaryFolder()
    const parts = (number: number) => ({
      [`app/client/assets/page-${number}.js`]: `page ${number}`,
      [`app/client/assets/style-${number}.css`]: `style ${number}`,
      [`server/shared-${number}.js`]: `shared ${number}`,
    })
    const entries = ['app/server/index.js', 'server/index.js', 'server/large-thread.js', 'server/worker.js']
    const begin = (number: number) => {
      const next = join(place, '.next')
      built(next, { ...parts(number), ...Object.fromEntries(entries.map((path) => [path, String(number)])) })
      return next
    }
    const read = (path: string) => readFileSync(join(place, path), 'utf8')
    putInPlace(begin(1), place)
    let moments = 0
    const look = () => {
      moments += 1
      for (const [path, text] of Object.entries(parts(1))) expect(read(path)).toBe(text)
      for (const entry of entries)
        for (const [path, text] of Object.entries(parts(Number(read(entry))))) expect(read(path)).toBe(text)
    }
    putInPlace(begin(2), place, (from, to) => {
      look()
      renameSync(from, to)
      look()
    })
    look()
    expect(moments).toBe(2 * 7 + 1)
    expect(entries.map(read)).toEqual(Array(4).fill('2'))
  })
})

describe('npm run site', () => {
  it('changes the name, currency and time zone of a shop that stands, beside its server', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    const cookie = await signUpOwner(server.url)
    const site = (...args: string[]) => npmRun('site', [...args, '--data-dir', server.dataDir])
    const page = async () => (await fetch(`${server.url}/dashboard`, { headers: { cookie } })).text()
    const day = async (date: string) =>
      (await (await fetch(`${server.url}/stats?from=${date}&to=${date}`, { headers: { cookie } })).json()) as Overview
    // Half an hour before midnight in one zone, and after it in the other.
    const event = {
      userId: 'u',
      sessionId: 's',
      type: 'page_view',
      payload: { url: '/' },
      occurredAt: '2026-11-20T23:30:00Z',
    }
    expect((await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(event) })).status).toBe(202)
    await eventually(async () => expect(await day('2026-11-20')).toMatchObject({ totalEvents: 1 }))

    const wrong = site('--name', 'Fjell & Fjord', '--time-zone', 'Europe/Bergen')
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--time-zone: an IANA time zone') })
    expect(await page()).not.toContain('Fjell')
    const changed = site('--name', 'Fjell & Fjord', '--currency', 'NOK', '--time-zone', 'Europe/Oslo')
    const lines = ['name       Fjell & Fjord', 'currency   NOK', 'time zone  Europe/Oslo']
    expect(changed).toMatchObject({ code: 0, stdout: lines.join('\n') })
    await eventually(async () => expect(await page()).toContain('Fjell &amp; Fjord'))
    expect(await day('2026-11-21')).toMatchObject({ totalEvents: 1 })
    expect(await day('2026-11-20')).toMatchObject({ totalEvents: 0 })
    await server.stop()
  })
})

describe('npm run seed', () => {
  it('makes a demo of another size that npm start takes as it is', async () => {
    const dataDir = temporaryFolder()
    const size = ['--events', '3000', '--users', '100', '--days', '7', '--data-dir', dataDir]
    const first = npmRun('seed', size)
    expect(first.stderr).toBe('')
    expect(first.stdout).toContain('3,000 of 3,000 events')
    expect(npmRun('seed', ['--data-dir', dataDir]).stdout).toContain('was complete already')
    const server = await startServer({ dataDir })
    expect(server.output()).not.toContain('Seeding')
    expect(server.output()).toContain('see-the-truth')
    await server.stop()
  })

  it("leaves a shop's own store alone", async () => {
    const server = await startServer({ args: ['--no-demo'] })
    await signUpOwner(server.url)
    await server.stop()
    const { code, stderr } = npmRun('seed', ['--data-dir', server.dataDir])
    expect(stderr).toMatch(/nothing was changed/)
    expect(code).toBe(1)
  })

  it.each([
    [['--events', '0'], /--events 0: must be a whole number/],
    [['--users', 'many'], /--users many: must be a whole number/],
    [['--wrong'], /--wrong/],
    [['--events', '100000', '--users', '1', '--days', '1'], /ask for more users/],
  ])('refuses %j with one line', (args, says) => {
    const { code, stderr } = npmRun('seed', args, { DATA_DIR: temporaryFolder() })
    expect(stderr).toMatch(says)
    expect(stderr.split('\n')).toHaveLength(1)
    expect(code).toBe(2)
  })

  it('refuses a demo shop on another stage', () => {
    expect(npmRun('seed', [], { STAGE: 'prod', DATA_DIR: temporaryFolder() })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('STAGE=prod'),
    })
  })
})

describe('npm run invite, npm run tokens and npm run accounts', () => {
  let server: TestServer

  it('let somebody in and let a tool read while the server runs', async () => {
    // While a command runs this process does not see that a connection was closed, and would ask on it again.
    server = await startServer({ args: ['--no-demo'], env: { IDLE_TIMEOUT_MS: '3600000' } })
    await signUpOwner(server.url)
    const dataDir = ['--data-dir', server.dataDir]

    const { stdout: link } = npmRun('invite', ['--email', 'Ana@Nordlicht.example', ...dataDir])
    // A whole address, whoever it is sent to.
    const invitation = new URL(link).searchParams.get('invitation')
    const signUp = (email: string) =>
      fetch(`${server.url}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Ana', email, password: 'a-long-password', invitation }),
      })
    expect((await signUp('other@nordlicht.example')).ok).toBe(false)
    expect((await signUp('ana@nordlicht.example')).status).toBe(200)
    expect((await signUp('ana@nordlicht.example')).ok).toBe(false)

    const { stdout: token } = npmRun('tokens', ['create', '--name', 'reports', ...dataDir])
    expect(token).toMatch(/^vt_[\w-]{40,}$/)
    const read = (authorization: string) => fetch(`${server.url}/stats`, { headers: { authorization } })
    const answer = await read(`Bearer ${token}`)
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as Overview).totalEvents).toBe(0)
    expect((await read(`Bearer ${token}x`)).status).toBe(401)

    // And no more.
    const [id] = npmRun('tokens', ['list', ...dataDir]).stdout.split('\t')
    expect(npmRun('tokens', ['revoke', id!, ...dataDir]).stdout).toBe(`Revoked ${id} (reports).`)
    expect((await read(`Bearer ${token}`)).status).toBe(401)
    expect(npmRun('tokens', ['revoke', id!, ...dataDir]).stderr).toContain(`There is no token ${id}`)
  })

  it('give somebody another password, and let nobody in who was removed', async () => {
    const dataDir = ['--data-dir', server.dataDir]
    const logIn = (password: string) =>
      fetch(`${server.url}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'ana@nordlicht.example', password }),
      })
    const first = await logIn('a-long-password')
    const cookie = first.headers.get('set-cookie')!.split(';', 1)[0]!
    const stats = () => fetch(`${server.url}/stats`, { headers: { cookie } })
    expect((await stats()).status).toBe(200)
    const { stdout: password } = npmRun('accounts', ['reset', 'Ana@Nordlicht.example', ...dataDir])
    expect((await stats()).status).toBe(401)
    expect((await logIn('a-long-password')).status).toBe(401)
    expect((await logIn(password)).status).toBe(200)

    const listed = npmRun('accounts', ['list', ...dataDir]).stdout.split('\n')
    expect(listed.map((line) => line.split('\t').slice(0, 2).join(' '))).toEqual([
      expect.stringMatching(/ owner$/),
      'ana@nordlicht.example analyst',
    ])
    const owner = listed[0]!.split('\t')[0]!
    const deserted = npmRun('accounts', ['remove', owner, '--even-last-owner', ...dataDir])
    expect(deserted).toMatchObject({ code: 1, stderr: expect.stringContaining('accounts -- make-owner EMAIL') })
    expect(npmRun('accounts', ['make-owner', 'ana@nordlicht.example', ...dataDir]).code).toBe(0)
    expect(npmRun('accounts', ['list', ...dataDir]).stdout).toContain('ana@nordlicht.example\towner')
    expect(npmRun('accounts', ['remove', 'ana@nordlicht.example', ...dataDir]).code).toBe(0)
    expect((await logIn(password)).status).toBe(401)
    const refused = npmRun('accounts', ['remove', owner, ...dataDir])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--even-last-owner') })
    expect(npmRun('accounts', ['remove', owner, '--even-last-owner', ...dataDir]).code).toBe(0)
    await server.stop()
  })

  it('refuse wrong input and a folder without a store, and make none', () => {
    const empty = temporaryFolder()
    for (const [name, args, says, exit] of [
      ['invite', ['--email', 'nobody'], /--email: Enter an email address/, 2],
      ['invite', ['--email', 'a@b.example', '--data-dir', empty], /There is no store at/, 1],
      ['tokens', ['create', '--name', 'x', '--data-dir', empty], /There is no store at/, 1],
      ['tokens', ['create', '--data-dir', empty], /--name/, 2],
      ['tokens', [], /tokens -- create/, 2],
      ['accounts', ['remove'], /accounts -- list/, 2],
      ['accounts', ['list', '--data-dir', empty], /There is no store at/, 1],
    ] as const) {
      const { code, stdout, stderr } = npmRun(name, args)
      expect(stderr).toMatch(says)
      expect(stdout).toBe('')
      expect(code).toBe(exit)
    }
    expect(existsSync(join(empty, 'veritas.db'))).toBe(false)
  })
})
