import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { Database } from '../server/store/sqlite/database.ts'
import { startMongo } from './mongo/mongo-server.ts'
import { ownMongo } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { startServer, type TestServer } from './server.ts'

const run = promisify(execFile)
const site = { SITE_NAME: 'Shop', SITE_TIME_ZONE: 'UTC', DEMO: 'false', LOG_LEVEL: 'silent' }
const PATIENT = { timeout: 90_000, interval: 100 }
/** Of one month, however long the test takes. */
const occurredAt = new Date()

async function post(server: TestServer, from: number, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({
    ...{ eventId: `e${from + n}`, type: 'page_view', userId: `user-${n % 4}`, sessionId: `session-${n % 8}` },
    ...{ timestamp: occurredAt.toISOString(), payload: { url: `/tents/${n}` } },
  }))
  const answer = await fetch(`${server.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  if (answer.status !== 202) throw new Error(`POST /events answered ${answer.status}: ${await answer.text()}`)
}

async function says(server: TestServer, status: string, events: Record<string, number>): Promise<void> {
  await vi.waitFor(async () => {
    const health = await (await fetch(`${server.url}/health`)).json()
    const { stored, waiting, deadLettered } = health.events
    const seen = { status: health.status, stored, waiting, deadLettered }
    const wanted = { status, stored: 0, waiting: 0, deadLettered: 0, ...events }
    if (JSON.stringify(seen) !== JSON.stringify(wanted)) throw new Error(JSON.stringify({ wanted, health }))
  }, PATIENT)
}

/** Breaks the store for every event and mends it, while the server runs on. */
async function staysWhole(server: TestServer, turn: (isBroken: boolean) => Promise<void>): Promise<void> {
  await post(server, 0, 5)
  await says(server, 'ok', { stored: 5 })
  await turn(true)
  await post(server, 100, 30)
  await post(server, 200, 1)
  await says(server, 'degraded', { stored: 5, waiting: 31 })
  await turn(false)
  await says(server, 'ok', { stored: 36 })
}

async function turnSqlite({ dataDir }: TestServer, isBroken: boolean): Promise<void> {
  const table = `events_${occurredAt.toISOString().slice(0, 7).replace('-', '')}`
  const db = await Database.open(join(dataDir, 'veritas.db'))
  const [from, to] = isBroken ? ['payload', 'gone'] : ['gone', 'payload']
  db.exec(`ALTER TABLE ${table} RENAME COLUMN ${from} TO ${to}`)
  db.close()
}

describe('a store that fails with every event, in a way that nobody has thought of', () => {
  it('makes none of them a dead letter in SQLite: they wait, and /health says so', async () => {
    const server = await startServer({ env: site })
    await staysWhole(server, (isBroken) => turnSqlite(server, isBroken))
  })
})

describe('events that nobody will ever know to be at fault', () => {
  it('wait until they are given up, and are dead letters then, which a mended store takes', async () => {
    const server = await startServer({ env: site })
    const cli = (...args: string[]) =>
      run('node', ['--import', 'tsx', 'scripts/dead-letters.ts', ...args, '--data-dir', server.dataDir])
    await post(server, 0, 5)
    await says(server, 'ok', { stored: 5 })
    await expect(cli('give-up', 'page_view')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No event of type page_view is in doubt here'),
    })
    await turnSqlite(server, true)
    await post(server, 100, 3)
    await says(server, 'degraded', { stored: 5, waiting: 3 })
    const { troubles } = await (await fetch(`${server.url}/health`)).json()
    expect(troubles).toEqual([expect.stringContaining('npm run dead-letters -- give-up page_view')])
    await vi.waitFor(async () => {
      const { stdout } = await cli('waiting')
      expect(stdout).toMatch(/^page_view\t\d{4}-\d\d\t.*payload.*\n$/)
    }, PATIENT)
    await expect(cli('give-up', 'page_views')).rejects.toMatchObject({
      stderr: expect.stringMatching(/page_views is no type of events: .*page_view/),
    })
    await expect(cli('give-up')).rejects.toMatchObject({ stderr: expect.stringContaining('Say what to do') })
    expect((await cli('give-up', '--all')).stdout).toBe('3 dead letters, 0 before\n')
    await says(server, 'ok', { stored: 5, deadLettered: 3 })
    const listed = (await cli('list')).stdout
    for (const n of [100, 101, 102]) expect(listed).toContain(`\te${n}\tgiven up: `)
    await turnSqlite(server, false)
    expect((await cli('replay')).stdout).toBe('3 stored, 0 stored before, 0 refused again, 0 failed\n')
    await server.stop()
    await expect(cli('waiting')).rejects.toMatchObject({ stderr: expect.stringContaining('No server') })
  })
})

describeWith(ownMongo, 'a MongoDB that fails with every event, in a way that nobody has thought of', () => {
  it('makes none of them a dead letter: they wait, and /health says so', async () => {
    const mongo = await startMongo({ own: true })
    const server = await startServer({ env: { ...site, STORE_URL: mongo.newDatabase() } })
    await staysWhole(server, async (isBroken) => {
      await mongo.admin({
        configureFailPoint: 'failCommand',
        ...(isBroken
          ? { mode: 'alwaysOn', data: { failCommands: ['insert', 'update'], errorCode: 26, appName: 'veritas' } }
          : { mode: 'off' }),
      })
    })
  })
})
