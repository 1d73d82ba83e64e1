import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { describeWith } from './needs.ts'
import { runtimes, runtimeVersions } from './runtime.ts'
import { startServer, type TestServer, temporaryFolder } from './server.ts'
import { cookieOf, eventually, owner, signUpOwner } from './shop.ts'

const START = fileURLToPath(new URL('../scripts/start.mjs', import.meta.url))
const found = await runtimes()

/** What npm start does, under that Node. */
function start(version: string, dataDir: string, zone: string): Promise<TestServer> {
  const node = found.programs.get(version)!
  const env = { SITE_TIME_ZONE: zone, SITE_CURRENCY: 'CAD', SITE_NAME: 'Maple', RETENTION_MONTHS: '0' }
  return startServer({ node, entry: START, args: ['--no-demo'], dataDir, env })
}

/** Near midnights that the rules of 2025 and of 2026 put elsewhere, over clock changes, in currencies of all decimals. */
const moments = [
  '2026-03-08T09:59:59.999Z',
  '2026-03-08T10:00:00Z',
  '2026-11-01T08:30:00Z',
  '2026-11-01T09:30:00Z',
  '2026-11-28T23:59:00Z',
  '2026-11-29T00:10:00Z',
  '2026-11-29T06:30:00Z',
  '2026-11-29T07:30:00Z',
  '2026-11-29T07:40:00Z',
  '2026-11-29T23:30:00Z',
]
const money = [
  { revenue: 12.34, currency: 'CAD' },
  { revenue: 1234, currency: 'JPY' },
  { revenue: 1.234, currency: 'KWD' },
  // Whose decimals each runtime has in another way, if asked.
  { revenue: 100.5, currency: 'HUF' },
]
/** Of each an order a part, in the smallest units: by ISO 4217 and by no runtime. */
const gross = { CAD: 1234, JPY: 1234, KWD: 1234, HUF: 10_050 }

function eventsOf(part: string) {
  return moments.map((occurredAt, index) => ({
    eventId: `${part}-${index}`,
    type: index % 3 === 0 ? 'purchase' : 'page_view',
    userId: `user-${index % 4}`,
    sessionId: `${part}-${index % 5}`,
    occurredAt,
    payload: index % 3 === 0 ? { orderId: `${part}-${index}`, ...money[(index / 3) % money.length] } : { url: '/' },
  }))
}

async function post(url: string, part: string): Promise<void> {
  const events = eventsOf(part)
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  expect(response.status, await response.clone().text()).toBe(202)
}

async function ask(url: string, cookie: string, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, { headers: { cookie, accept: 'application/json' } })
  expect(response.status, path).toBe(200)
  const { freshness: _, ...answer } = (await response.json()) as Record<string, unknown>
  return answer
}

/** Everything that is asked of a shop: figures of days and hours, its users, what each of them did. */
async function figuresOf(url: string, cookie: string): Promise<unknown> {
  const users = await ask(url, cookie, '/users?sort=userId&order=asc&pageSize=100')
  const journeys = (users.users as { userId: string }[]).map(({ userId }) => `/users/${userId}/journey?limit=1000`)
  const paths = [
    '/stats?from=2026-03-01&to=2026-12-31',
    '/stats?from=2026-11-28&to=2026-11-29&interval=hour',
    '/stats?from=2026-11-01&to=2026-11-02&interval=hour',
    ...journeys,
  ]
  return { users, answers: await Promise.all(paths.map((path) => ask(url, cookie, path))) }
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

describeWith(found, `Node ${runtimeVersions.join(', ')}`, () => {
  beforeAll(() => {
    for (const [version, node] of found.programs)
      expect(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()).toBe(version)
  })

  it('give the same figures, days and amounts of a store that all of them wrote to', async () => {
    // Their own rules for this zone are not the same.
    const [zone, day, count] = ['America/Vancouver', '2026-11-29', 3] as const
    const dataDir = temporaryFolder()
    const stored = async (url: string, cookie: string, events: number) =>
      eventually(async () => expect((await ask(url, cookie, '/stats')).allTime).toMatchObject({ events }))
    let cookie: string | undefined
    let parts = 0
    for (const version of runtimeVersions) {
      const server = await start(version, dataDir, zone)
      cookie ??= await signUpOwner(server.url)
      await post(server.url, `written under ${version}`)
      parts += 1
      await stored(server.url, await logIn(server.url), parts * moments.length)
      const page = await fetch(`${server.url}/dashboard`, { headers: { cookie } })
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Maple')])
      expect(await server.stop()).toBe(0)
      expect(server.output()).not.toContain('counted by other rules')
    }
    const answers: unknown[] = []
    for (const version of [...runtimeVersions].reverse()) {
      const server = await start(version, dataDir, zone)
      answers.push(await figuresOf(server.url, cookie!))
      const { eventsByDay } = await ask(server.url, cookie!, `/stats?from=${day}&to=${day}`)
      expect(eventsByDay).toEqual([{ date: day, count: count * parts }])
      const { money: sums } = (await ask(server.url, cookie!, '/stats?from=2026-03-01&to=2026-12-31')) as {
        money: { currency: string; gross: number }[]
      }
      expect(Object.fromEntries(sums.map((sum) => [sum.currency, sum.gross / parts]))).toEqual(gross)
      expect(await server.stop()).toBe(0)
      expect(server.problems().filter((line) => !/ExperimentalWarning|--trace-warnings/.test(line))).toEqual([])
    }
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
  })
})
