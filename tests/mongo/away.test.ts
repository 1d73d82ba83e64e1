import { expect, it, vi } from 'vitest'
import { freePort } from '../free-port.ts'
import { describeWith } from '../needs.ts'
import { startServer } from '../server.ts'
import { startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'

const site = { SITE_NAME: 'Shop', SITE_TIME_ZONE: 'UTC', DEMO: 'false', LOG_LEVEL: 'error' }

describeWith(ownMongo, 'a server whose MongoDB is away', () => {
  it('starts, takes events, says that it is degraded, and stores them when the database comes', async () => {
    const port = await freePort()
    const server = await startServer({ env: { STORE_URL: `mongodb://127.0.0.1:${port}/shop`, ...site } })
    expect(server.output()).toContain('Its store is away')
    const events = Array.from({ length: 30 }, (_, n) => ({
      type: 'page_view',
      userId: `user-${n % 4}`,
      sessionId: `session-${n % 8}`,
      payload: { url: `/tents/${n}` },
    }))
    const posted = await fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    })
    expect(posted.status).toBe(202)
    const ready = await fetch(`${server.url}/health/ready`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({ status: 'degraded', database: 'down', bufferSize: 30 })

    await startMongo({ own: true, port })
    await vi.waitFor(
      async () => {
        const health = await (await fetch(`${server.url}/health`)).json()
        expect(health).toMatchObject({ status: 'ok', database: 'up', engine: 'mongo' })
        expect(health.events).toMatchObject({ stored: 30, waiting: 0, deadLettered: 0, imbalance: 0 })
      },
      { timeout: 90_000, interval: 200 },
    )
    expect(await server.stop()).toBe(0)
  })
})
