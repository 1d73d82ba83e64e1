import { copyFileSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { createPm2, type Pm2 } from './faults/pm2.ts'
import { health } from './faults/shop-process.ts'
import { freePort } from './free-port.ts'
import { temporaryFolder } from './server.ts'
import { eventually } from './shop.ts'

const running: Pm2[] = []
afterEach(async () => {
  for (const pm2 of running.splice(0)) await pm2.close()
})

function pm2With(env: Record<string, string>): Pm2 {
  const pm2 = createPm2({ DEMO: 'false', LOG_LEVEL: 'warn', METRICS_PORT: 'off', ...env })
  running.push(pm2)
  return pm2
}

async function post(port: number, from: number, count: number): Promise<number> {
  const events = Array.from({ length: count }, (_, index) => ({
    eventId: `e-${from + index}`,
    userId: 'u',
    sessionId: 's',
    type: 'page_view',
    payload: { url: '/' },
  }))
  const body = JSON.stringify(events)
  return (await fetch(`http://127.0.0.1:${port}/events`, { method: 'POST', body })).status
}

describe('npm run start:pm2', () => {
  it('runs two processes on one port and one data folder, replaces both and stores everything when stopped', async () => {
    const dataDir = temporaryFolder()
    const port = await freePort()
    const slow = { FLUSH_EVENTS: '10000', FLUSH_INTERVAL_MS: '60000' }
    const pm2 = pm2With({ PORT: String(port), DATA_DIR: dataDir, VERITAS_INSTANCES: '2', ...slow })
    await pm2.start()
    // The command ended because both said "ready", so nobody is refused from here on.
    expect(await post(port, 0, 10)).toBe(202)
    const first = await pm2.list()
    expect(first.map(({ name, pm2_env }) => [name, pm2_env.status])).toEqual([
      ['veritas', 'online'],
      ['veritas', 'online'],
    ])
    expect(ownersOf(dataDir).sort()).toEqual(first.map(({ pid }) => pid).sort())

    for (let requests = 1; requests < 20; requests++) expect(await post(port, 10 * requests, 10)).toBe(202)
    await pm2.start()
    const second = await pm2.list()
    expect(second.map(({ pm2_env }) => [pm2_env.status, pm2_env.restart_time])).toEqual([
      ['online', 1],
      ['online', 1],
    ])
    expect(second.filter(({ pid }) => first.some((old) => old.pid === pid))).toEqual([])
    // The two that left stored what they had, although neither size nor age asked for it.
    expect((await health(`http://127.0.0.1:${port}`)).events).toMatchObject({ waiting: 0, recovered: 0 })
    expect(await post(port, 200, 10)).toBe(202)
    await pm2.run('stop', 'all')
    expect(ownersOf(dataDir)).toEqual([])
    expect(pm2.logs('veritas')).not.toMatch(/deadline|error/i)

    const store = await createSqliteStore({ path: join(dataDir, 'veritas.db'), readers: 1 })
    expect((await store.totals('default')).events).toBe(210)
    await store.close()
  })

  it('runs one process for events and one for questions with VERITAS_ROLES=split', async () => {
    const [port, webPort] = [await freePort(), await freePort()]
    const env = { PORT: String(port), VERITAS_WEB_PORT: String(webPort), VERITAS_ROLES: 'split' }
    const pm2 = pm2With({ DATA_DIR: temporaryFolder(), ...env })
    await pm2.start()
    expect((await pm2.list()).map(({ name }) => name)).toEqual(['veritas-ingest', 'veritas-web'])
    expect(await post(port, 0, 1)).toBe(202)
    expect(await post(webPort, 0, 1)).toBe(503)
    expect((await fetch(`http://127.0.0.1:${webPort}/login`)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${port}/login`)).status).toBe(404)
  })
})

describe('PM2', () => {
  it('remembers no setting of any shell, and shows none', async () => {
    const port = await freePort()
    const secret = 'a-secret-of-the-shell-that-nobody-may-read'
    const shell = { STAGE: 'prod', PORT: String(port), DATA_DIR: temporaryFolder(), SESSION_SECRET: secret }
    const pm2 = pm2With({ ...shell, INGEST_KEYLESS: 'allow' })
    await pm2.start()
    expect(await post(port, 0, 1)).toBe(202)
    await pm2.run('save')
    expect(readFileSync(join(pm2.home, 'dump.pm2'), 'utf8')).not.toContain(secret)

    // The setting is gone, and so is what it did.
    delete pm2.env.INGEST_KEYLESS
    await pm2.start()
    expect(await post(port, 1, 1)).toBe(401)

    // Nor does any other command bring in what its shell has.
    pm2.env.INGEST_KEYLESS = 'allow'
    await pm2.run('reload', 'all', '--update-env')
    expect(await post(port, 2, 1)).toBe(401)
    await pm2.run('restart', 'all', '--update-env')
    await eventually(async () => expect(await post(port, 3, 1)).toBe(401))
    await pm2.run('save')
    await pm2.run('kill')
    await pm2.run('resurrect')
    await eventually(async () => expect(await post(port, 4, 1)).toBe(401))

    delete pm2.env.INGEST_KEYLESS
    await pm2.start()
    expect(statSync(pm2.home).mode & 0o777).toBe(0o700)
    for (const name of ['dump.pm2', 'veritas-settings.json'])
      expect(statSync(join(pm2.home, name)).mode & 0o777, name).toBe(0o600)
  })

  it('is started again where it runs on another Node, with all it runs', async () => {
    const port = await freePort()
    const pm2 = pm2With({ PORT: String(port), DATA_DIR: temporaryFolder() })
    const daemon = () => readlinkSync(`/proc/${readFileSync(join(pm2.home, 'pm2.pid'), 'utf8').trim()}/exe`)
    const other = join(temporaryFolder(), 'node')
    copyFileSync(process.execPath, other)
    await pm2.runOn(other, 'ping')
    expect(daemon()).toBe(other)

    expect(await pm2.start()).toContain('PM2 runs on another Node than this one')
    expect(daemon()).toBe(realpathSync(process.execPath))
    expect(await post(port, 0, 1)).toBe(202)
    // Of the same Node it goes on, and its process with what replaces it.
    expect(await pm2.start()).not.toContain('another Node')
  })
})

/** Processes that own a slot of the log. */
function ownersOf(dataDir: string): number[] {
  const wal = join(dataDir, 'wal')
  return readdirSync(wal).flatMap((slot) =>
    readdirSync(join(wal, slot))
      .filter((name) => name.startsWith('lock-'))
      .map((name) => (JSON.parse(readFileSync(join(wal, slot, name), 'utf8')) as { pid?: number }).pid)
      .filter((pid) => pid !== undefined),
  )
}
