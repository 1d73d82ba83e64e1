import { expect, it } from 'vitest'
import { describeWith } from '../needs.ts'
import { runServer, startServer } from '../server.ts'
import { eventually } from '../shop.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'

const PASSWORD = 's3cretPassw0rd'

describeWith(ownMongo, 'the password in STORE_URL', () => {
  const withLogin = (server: MongoServer, options = '') =>
    `${server.newDatabase().replace('//', `//ana:${PASSWORD}@`)}${options}`

  it('is in no line of the log and no answer, though the database refuses it', async () => {
    const mongo = await startMongo({ own: true })
    const env = { STORE_URL: withLogin(mongo), DEMO: 'false', LOG_LEVEL: 'debug' }
    const server = await startServer({ env })
    const ask = async (path: string, init?: RequestInit) => (await fetch(server.url + path, init)).text()
    const body = JSON.stringify({ userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } })
    const headers = { 'content-type': 'application/json' }
    const accepted = await fetch(`${server.url}/events`, { method: 'POST', headers, body })
    expect(accepted.status).toBe(202)
    // The log says why nothing is stored.
    await eventually(async () => expect(server.output()).toMatch(/The database at 127\.0\.0\.1:\d+\/\w+ refuses: /))
    const answers = [await ask('/health'), await ask('/health/ready'), await ask('/login'), await ask('/stats')]
    for (const text of [...answers, server.output()]) expect(text).not.toContain(PASSWORD)
    await server.stop('SIGKILL')
  })

  it('is in no message of a start that fails', async () => {
    const mongo = await startMongo({ own: true })
    for (const url of [
      withLogin(mongo, '?replicaSte=rs0'),
      withLogin(mongo, '?tls=maybe'),
      `mongo://ana:${PASSWORD}@127.0.0.1/shop`,
      `mongodb://ana:${PASSWORD}/x@127.0.0.1/shop`,
      `mongodb://ana:${PASSWORD}%zz@127.0.0.1/shop`,
      `mongodb://ana:${PASSWORD}@127.0.0.1/a.b`,
    ]) {
      const { code, stdout, stderr } = await runServer({ env: { STORE_URL: url, DEMO: 'false' } })
      expect(code, url).toBe(1)
      expect(stderr, url).toMatch(/STORE_URL/)
      expect(stdout + stderr, url).not.toContain(PASSWORD)
    }
  })
})
