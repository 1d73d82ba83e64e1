import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UsersList } from '../trpc/schema/users.ts'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const USERS = 2500
const START = Date.UTC(2026, 9, 1)
const ids = Array.from({ length: USERS }, (_, n) => `user-${String(n).padStart(4, '0')}`)

let server: TestServer
let cookie: string
let moving = true
let traffic: Promise<void>
let moved = 0

async function post(userIds: string[], at: () => number): Promise<void> {
  const events = userIds.map((userId) => ({
    type: 'page_view',
    userId,
    sessionId: 's',
    occurredAt: new Date(at()).toISOString(),
    payload: { url: '/' },
  }))
  const response = await fetch(`${server.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  expect(response.status).toBe(202)
}

async function list(query: string): Promise<UsersList> {
  const response = await fetch(`${server.url}/users?${query}`, { headers: { cookie } })
  expect(response.status, query).toBe(200)
  return (await response.json()) as UsersList
}

/** Users who jump to the front of a list by last activity, some at every moment. */
async function move(): Promise<void> {
  for (let next = 0; moving; next = (next + 397) % USERS) {
    await post(
      [...ids.slice(next, next + 20), ...ids.slice(0, Math.max(0, next + 20 - USERS))],
      () => START + 86_400_000 + moved++,
    )
  }
}

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'], env: { FLUSH_INTERVAL_MS: '20' } })
  cookie = await signUpOwner(server.url)
  for (let from = 0; from < USERS; from += 500) await post(ids.slice(from, from + 500), () => START + from)
  await eventually(async () => expect((await list('pageSize=1')).totalCount).toBe(USERS))
  traffic = move()
})

afterAll(async () => {
  moving = false
  await traffic
})

const sorts = ['lastActive', 'totalEvents', 'userId'].flatMap((sort) => [
  [sort, 'desc'],
  [sort, 'asc'],
])

describe('while users move', () => {
  it.each(sorts)('users.csv by %s %s has each once', async (sort, order) => {
    const before = moved
    const response = await fetch(`${server.url}/users.csv?sort=${sort}&order=${order}`, { headers: { cookie } })
    const [, ...lines] = (await response.text()).trim().split('\r\n')
    expect(lines.map((line) => line.split(',')[0]).sort()).toEqual(ids)
    await eventually(async () => expect(moved).toBeGreaterThan(before))
  })

  it.each(sorts)('the pages of a fixed list by %s %s have each once, as it was at the first', async (sort, order) => {
    const users: UsersList['users'] = []
    let page = await list(`state=fixed&pageSize=50&sort=${sort}&order=${order}`)
    const from = moved
    for (;;) {
      expect([page.state, page.totalCount]).toEqual(['fixed', USERS])
      users.push(...page.users)
      if (!page.nextCursor) break
      page = await list(`cursor=${page.nextCursor}&pageSize=50`)
    }
    expect(moved).toBeGreaterThan(from)
    expect(users.map(({ userId }) => userId).sort()).toEqual(ids)
    if (sort === 'userId') return
    const values = users.map((user) => (sort === 'lastActive' ? Date.parse(user.lastActive) : user.totalEvents))
    expect(values).toEqual([...values].sort((a, b) => (order === 'asc' ? a - b : b - a)))
    const back = await list(`cursor=${page.previousCursor}&pageSize=50`)
    expect(back.users).toEqual(users.slice(-100, -50))
  })

  it('exports take no place of others, and none when they are over', async () => {
    const file = (method = 'GET') => fetch(`${server.url}/users.csv`, { method, headers: { cookie } })
    const all = await Promise.all(Array.from({ length: 16 }, () => file()))
    const texts = await Promise.all(all.map((response) => response.text()))
    const places = all.flatMap(({ status }, index) => (status === 200 ? [index] : []))
    expect(places.length).toBeGreaterThanOrEqual(4)
    for (const [index, { status, headers }] of all.entries()) {
      if (status === 200) expect(texts[index]!.trim().split('\r\n')).toHaveLength(USERS + 1)
      else {
        expect([status, headers.get('retry-after')]).toEqual([429, '10'])
        expect(texts[index]).toContain('lists of users are being read or exported for you')
      }
    }
    // More, one after another, than have a place at once: whoever asks for the head alone, leaves or reads to the end.
    for (let turn = 0; turn < 5; turn++) expect((await file('HEAD')).status).toBe(200)
    for (let turn = 0; turn < 5; turn++)
      await eventually(async () => {
        const response = await file()
        expect(response.status).toBe(200)
        await response.body?.cancel()
      })
    await eventually(async () => expect((await (await file()).text()).length).toBeGreaterThan(USERS * 10))

    // Lists that somebody holds are theirs; pages and other readers go on.
    for (let held = 0; held < 4; held++) await list('state=fixed&pageSize=50')
    const refused = await fetch(`${server.url}/users?state=fixed`, { headers: { cookie } })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10'])
    const make = ['--import', 'tsx', 'scripts/tokens.ts', 'create', '--name', 'tool', '--data-dir', server.dataDir]
    const { stdout } = await promisify(execFile)(process.execPath, make)
    const authorization = `Bearer ${stdout.trim()}`
    expect((await fetch(`${server.url}/users?state=fixed`, { headers: { authorization } })).status).toBe(200)
    const page = await fetch(`${server.url}/users`, { headers: { cookie, accept: 'text/html' } })
    expect(page.status).toBe(200)
  })

  it('a list that is not kept any more is refused with what to do', async () => {
    const cursor = Buffer.from(JSON.stringify({ list: 'gone', from: 0 })).toString('base64url')
    const response = await fetch(`${server.url}/users?cursor=${cursor}`, { headers: { cookie } })
    expect(response.status).toBe(409)
    expect(await response.text()).toContain('leave cursor out')
  })
})
