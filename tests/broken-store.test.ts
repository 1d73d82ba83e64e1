import { join } from 'node:path'
import { describe, it, vi } from 'vitest'
import { Database } from '../server/store/sqlite/database.ts'
import { startMongo } from './mongo/mongo-server.ts'
import { ownMongo } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { startServer, type TestServer } from './server.ts'

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

describe('a store that fails with every event, in a way that nobody has thought of', () => {
  it('makes none of them a dead letter in SQLite: they wait, and /health says so', async () => {
    const server = await startServer({ env: site })
    const table = `events_${occurredAt.toISOString().slice(0, 7).replace('-', '')}`
    await staysWhole(server, async (isBroken) => {
      const db = await Database.open(join(server.dataDir, 'veritas.db'))
      const [from, to] = isBroken ? ['payload', 'gone'] : ['gone', 'payload']
      db.exec(`ALTER TABLE ${table} RENAME COLUMN ${from} TO ${to}`)
      db.close()
    })
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
