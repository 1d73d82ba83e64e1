import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { startMongo } from './mongo/mongo-server.ts'
import { storeNeeds } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { npmRun } from './npm-run.ts'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'
import { storeKinds } from './store-kind.ts'

/** Half an hour before midnight in UTC, and five hours later in India: another day. */
const occurredAt = '2026-11-20T23:30:00.000Z'
const DAY = '2026-11-20'
const NEXT_DAY = '2026-11-21'

for (const kind of storeKinds)
  describeWith(storeNeeds[kind], `two sites on one server (${kind})`, () => {
    let server: TestServer
    let env: Record<string, string>
    let cookie: string
    let keys: { first: string; second: string }

    const command = (name: string, ...args: string[]) => npmRun(name, [...args, '--data-dir', server.dataDir], env)

    beforeAll(async () => {
      env = kind === 'mongo' ? { STORE_URL: (await startMongo()).newDatabase() } : {}
      server = await startServer({ args: ['--no-demo'], env: { ...env, INGEST_KEYLESS: 'refuse' } })
      cookie = await signUpOwner(server.url)
      const zone = ['--zone', 'Asia/Kolkata', '--currency', 'INR']
      expect(await command('sites', 'create', '--id', 'second', '--name', 'Second', ...zone)).toMatchObject({
        code: 0,
        stdout: 'second\tAsia/Kolkata\tINR\tSecond',
      })
      const keyOf = async (site: string) => (await command('keys', 'create', '--kind', 'sk', '--site', site)).stdout
      keys = { first: await keyOf('default'), second: await keyOf('second') }
    })

    async function post(key: string, revenue: number, userId = 'u'): Promise<void> {
      const purchase = { orderId: 'o-1', revenue, currency: 'INR' }
      // The same ids of event, user, session and order at both.
      const event = { eventId: `e-${userId}`, userId, sessionId: 's', occurredAt, type: 'purchase', payload: purchase }
      const headers = { 'x-write-key': key }
      const { status } = await fetch(`${server.url}/events`, { method: 'POST', headers, body: JSON.stringify(event) })
      expect(status).toBe(202)
    }

    async function ask(path: string): Promise<{ status: number; body: never }> {
      const response = await fetch(server.url + path, { headers: { cookie } })
      return { status: response.status, body: (await response.json()) as never }
    }

    it('keeps their events, users, orders and days apart', async () => {
      await post(keys.first, 100)
      await post(keys.second, 250)
      await post(keys.second, 250, 'only of the second')
      await eventually(async () => {
        expect((await ask('/stats')).body).toMatchObject({ totalEvents: 1 })
        expect((await ask('/stats?site=second')).body).toMatchObject({ totalEvents: 2 })
      })
      const figures = (site: string, day: string) => ask(`/stats?site=${site}&from=${day}&to=${day}`)
      expect((await figures('default', DAY)).body).toMatchObject({
        site: { id: 'default', timeZone: 'UTC' },
        totalUsers: 1,
        orders: 1,
        money: [{ currency: 'INR', gross: 10_000 }],
      })
      // There it was the day after.
      expect((await figures('second', DAY)).body).toMatchObject({ totalEvents: 0 })
      expect((await figures('second', NEXT_DAY)).body).toMatchObject({
        site: { id: 'second', name: 'Second', timeZone: 'Asia/Kolkata', currency: 'INR' },
        totalUsers: 2,
        orders: 1,
        money: [{ currency: 'INR', gross: 25_000 }],
      })
      expect((await ask('/users')).body).toMatchObject({ totalCount: 1, users: [{ userId: 'u', orders: 1 }] })
      expect((await ask('/users?site=second')).body).toMatchObject({ totalCount: 2 })
      const journey = (await ask('/users/u/journey?site=second')).body
      expect(journey).toMatchObject({ count: 1, events: [{ eventId: 'e-u', payload: { revenue: 250 } }] })
      expect((await ask('/users/u/sessions?site=second')).body).toMatchObject({ sessions: [{ sessionId: 's' }] })
      const other = encodeURIComponent('only of the second')
      expect((await ask(`/users/${other}`)).status).toBe(404)
      expect((await ask(`/users/${other}?site=second`)).status).toBe(200)
    })

    it('tells nothing of a site that is not there', async () => {
      for (const path of ['/stats', '/users', '/users/u', '/users/u/journey', '/users/u/sessions']) {
        const { status, body } = await ask(`${path}?site=third`)
        expect({ path, status }).toEqual({ path, status: 404 })
        expect(JSON.stringify(body)).not.toMatch(/second|default/)
      }
      const key = await command('keys', 'create', '--kind', 'sk', '--site', 'third')
      expect(key).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no site third.') })
    })

    it('does not lead from a list of one into that of the other', async () => {
      const { nextCursor } = (await ask('/users?site=second&state=fixed&pageSize=1')).body as { nextCursor: string }
      expect((await ask(`/users?site=second&cursor=${nextCursor}`)).status).toBe(200)
      expect((await ask(`/users?cursor=${nextCursor}`)).status).toBe(409)
    })

    it('counts each again, exports each, and names each', async () => {
      const audited = await Promise.all(['default', 'second'].map((site) => command('audit', '--all', '--site', site)))
      expect(audited.map(({ code }) => code)).toEqual([0, 0])
      const folder = join(server.dataDir, 'exported')
      for (const [site, day] of [
        ['default', DAY],
        ['second', NEXT_DAY],
      ] as const) {
        expect(await command('export', '--day', day, '--site', site, '--to', `file://${folder}`)).toMatchObject({
          code: 0,
        })
        const figures = JSON.parse(readFileSync(join(folder, `site=${site}`, `day=${day}`, 'figures.json'), 'utf8'))
        expect(figures).toMatchObject({ site, totalEvents: site === 'second' ? 2 : 1 })
      }
      expect(await command('sites', 'rename', '--id', 'second', '--name', 'Zweiter Laden')).toMatchObject({ code: 0 })
      expect((await command('sites', 'list')).stdout.split('\n')).toEqual([
        'default\tUTC\tEUR\tMy shop',
        'second\tAsia/Kolkata\tINR\tZweiter Laden',
      ])
      expect((await ask('/stats?site=second')).body).toMatchObject({ site: { name: 'Zweiter Laden' } })
    })

    it('refuses sites that are there, are not there or have no id', async () => {
      const [created, renamed, wrong] = await Promise.all([
        command('sites', 'create', '--id', 'second', '--name', 'Again'),
        command('sites', 'rename', '--id', 'third', '--name', 'Third'),
        command('sites', 'create', '--id', 'Großer Laden', '--zone', 'Nowhere', '--currency', 'X'),
      ])
      expect(created).toMatchObject({ code: 1, stderr: expect.stringContaining('there is such a site already') })
      expect(renamed).toMatchObject({ code: 1, stderr: expect.stringContaining('npm run sites -- list') })
      expect(wrong.code).toBe(2)
      for (const option of ['--id', '--name', '--zone', '--currency']) expect(wrong.stderr).toContain(`${option}:`)
    })

    it('has the nightly work of both', async () => {
      await server.restart()
      for (const site of ['default', 'second'])
        await eventually(async () => expect(server.output()).toMatch(new RegExp(`"audit:${site}".*"job done"`)))
    })
  })
