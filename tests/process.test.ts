import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Journey } from '../trpc/schema/journey.ts'
import type { Overview } from '../trpc/schema/stats.ts'
import { type Ended, runServer, startServer, temporaryFolder } from './server.ts'
import { cookieOf, owner, signUpOwner } from './shop.ts'

async function post(url: string, events: unknown): Promise<void> {
  const response = await fetch(`${url}/events`, { method: 'POST', body: JSON.stringify(events) })
  expect(response.status).toBe(202)
}

function pageViews(count: number, prefix: string) {
  return Array.from({ length: count }, (_, i) => ({
    eventId: `${prefix}-${i}`,
    userId: `u-${i % 7}`,
    sessionId: 's',
    type: 'page_view',
    payload: { url: `/${i}` },
  }))
}

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: owner.email, password: owner.password }),
  })
  expect(response.status).toBe(200)
  return cookieOf(response)
}

async function get<T>(url: string, cookie: string): Promise<T> {
  const response = await fetch(url, { headers: { cookie } })
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stores everything it accepted before it ends on %s', async (signal) => {
    // Nothing is flushed by size or age before the signal comes.
    const env = { FLUSH_EVENTS: '10000', FLUSH_INTERVAL_MS: '60000' }
    const server = await startServer({ args: ['--no-demo'], env })
    const cookie = await signUpOwner(server.url)
    await post(server.url, pageViews(1500, 'a'))
    await post(server.url, pageViews(500, 'b'))
    const waiting = await get<Overview>(`${server.url}/stats`, cookie)
    expect(waiting).toMatchObject({ totalEvents: 0, freshness: { waiting: 2000 } })

    expect(await server.stop(signal)).toBe(0)
    await server.restart()
    const again = await logIn(server.url)
    const figures = await get<Overview>(`${server.url}/stats`, again)
    expect(figures).toMatchObject({ totalEvents: 2000, totalUsers: 7 })
    const journey = await get<Journey>(`${server.url}/users/u-3/journey?limit=1000`, again)
    const expected = [...pageViews(1500, 'a'), ...pageViews(500, 'b')].filter((event) => event.userId === 'u-3')
    expect(journey.events.map((event) => event.eventId).sort()).toEqual(expected.map((event) => event.eventId).sort())
    expect(await server.stop()).toBe(0)
  })

  it('keeps a login over a restart', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    const cookie = await signUpOwner(server.url)
    await server.restart()
    const { user } = await get<{ user: { email: string } }>(`${server.url}/api/auth/get-session`, cookie)
    expect(user.email).toBe(owner.email)
  })

  it('starts an empty store with --no-demo and says what to do first', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    expect(server.output()).toMatch(/Create the owner's account at http:\/\/127\.0\.0\.1:\d+\/signup/)
    expect(server.output()).not.toContain('see-the-truth')
    const login = await fetch(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'demo@veritas.local', password: 'see-the-truth' }),
    })
    expect(login.status).toBe(401)
  })

  it('leaves a store with events of a real shop alone, and gives it no demo login', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    await post(server.url, pageViews(3, 'real'))
    await server.stop()
    const again = await startServer({ args: ['--demo'], dataDir: server.dataDir })
    expect(again.output()).not.toMatch(/Seeding|see-the-truth/)
    const cookie = await signUpOwner(again.url)
    expect((await get<Overview>(`${again.url}/stats`, cookie)).totalEvents).toBe(3)
  })

  it('goes on when a newer build has replaced the files it serves', async () => {
    const root = fileURLToPath(new URL('..', import.meta.url))
    const copy = temporaryFolder()
    for (const part of ['build/app', 'build/server', 'package.json'])
      cpSync(join(root, part), join(copy, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const server = await startServer({ args: ['--no-demo'], entry: join(copy, 'build/server/index.js') })
    const assets = join(copy, 'build/app/client/assets')
    const [script] = readdirSync(assets).filter((name) => name.endsWith('.js'))
    const address = `${server.url}/assets/${script}`
    const there = await fetch(address)
    expect(there.status).toBe(200)
    expect(there.headers.get('cache-control')).toContain('immutable')
    rmSync(assets, { recursive: true })
    const gone = await fetch(address, { redirect: 'manual' })
    expect([302, 404]).toContain(gone.status)
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200)
  })

  it('prints a curl line that works as it is', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    const line = server.output().match(/curl -X POST (\S+) -H '([^']+)' -d '([^']+)'/)
    const [name, value] = line![2]!.split(': ')
    const response = await fetch(line![1]!, { method: 'POST', headers: { [name!]: value! }, body: line![3]! })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ count: 1 })
  })
})

describe('a start that cannot be', () => {
  function expectOneLine({ code, stdout, stderr }: Ended, says: RegExp): void {
    expect(stderr).toMatch(says)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  }

  it('names a port in use', async () => {
    const other = createServer()
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    )
    try {
      expectOneLine(
        await runServer({ args: ['--no-demo'], env: { PORT: String(port) } }),
        new RegExp(`Port ${port} .*in use`),
      )
    } finally {
      other.close()
    }
  })

  it('names a data folder that cannot be written', async () => {
    // A file in its place cannot be a folder for anybody, the superuser included.
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    expectOneLine(await runServer({ args: ['--no-demo'], env: { DATA_DIR: join(file, 'data') } }), /DATA_DIR .*file/)
  })

  it('names a store that is no database', async () => {
    const file = join(temporaryFolder(), 'veritas.db')
    writeFileSync(file, 'this is no database, however long it may be. '.repeat(500))
    expectOneLine(await runServer({ args: ['--no-demo'], env: { STORE_URL: `sqlite:${file}` } }), /veritas\.db/)
  })

  it.each([
    [{ PORT: 'abc' }, /PORT/],
    [{ PORT: '70000' }, /PORT/],
    [{ FLUSH_INTERVAL_MS: '-1' }, /FLUSH_INTERVAL_MS/],
    [{ SITE_TIME_ZONE: 'Europe/Atlantis' }, /SITE_TIME_ZONE.*IANA/],
    [{ SESSION_SECRET: 'short' }, /SESSION_SECRET.*32/],
    [{ STORE_URL: 'mysql://x' }, /STORE_URL.*sqlite:PATH/],
  ])('names a wrong setting: %o', async (env, says) => {
    expectOneLine(await runServer({ args: ['--no-demo'], env: env as unknown as Record<string, string> }), says)
  })

  it('refuses an option it does not know', async () => {
    expectOneLine(await runServer({ args: ['--no-dmeo'] }), /--no-dmeo/)
  })

  it('refuses a demo store on any stage but local', async () => {
    expectOneLine(await runServer({ args: ['--demo'], env: { STAGE: 'prod' } }), /DEMO.*STAGE=prod/)
    expectOneLine(await runServer({ env: { STAGE: 'prod', DEMO: 'true' } }), /DEMO.*STAGE=prod/)
  })

  it('refuses, on any stage but local, a store that holds the demo login', async () => {
    const dataDir = temporaryFolder()
    await runServer({ dataDir, killAt: /20,000 of 200,000/ })
    expectOneLine(await runServer({ dataDir, env: { STAGE: 'prod' } }), /STAGE=prod refuses the demo store/)
  })

  it('has no demo on another stage unless asked', async () => {
    const server = await startServer({ env: { STAGE: 'prod' } })
    expect(server.output()).not.toMatch(/Seeding|see-the-truth/)
  })
})
