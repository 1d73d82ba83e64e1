import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const run = promisify(execFile)
const DAY_MS = 86_400_000
let server: TestServer
let cookie: string
let keys: Record<'pk' | 'sk', string>

async function createKey(kind: 'pk' | 'sk'): Promise<string> {
  const args = ['--import', 'tsx', 'scripts/keys.ts', 'create', '--kind', kind, '--data-dir', server.dataDir]
  return (await run('node', args)).stdout.trim()
}

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'], env: { INGEST_KEYLESS: 'refuse' } })
  cookie = await signUpOwner(server.url)
  keys = { pk: await createKey('pk'), sk: await createKey('sk') }
})

let posted = 0
async function post(kind: 'pk' | 'sk', userId: string, payload: object, occurredAt = Date.now()) {
  const event = { eventId: `money-${posted++}`, userId, sessionId: 's', type: 'purchase', payload, occurredAt }
  const headers = { authorization: `Bearer ${keys[kind]}` }
  const response = await fetch(`${server.url}/events`, { method: 'POST', headers, body: JSON.stringify(event) })
  expect(response.status).toBe(202)
  return (await response.json()) as { results: Record<string, { result: string; path?: string }> }
}

async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, { headers: { cookie } })
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}

interface Stats {
  totalEvents: number
  money: object[]
  aside: object[]
  allTime: { events: number }
}
const stats = () => ask<Stats>('/stats')
const stored = (events: number) =>
  eventually(async () => {
    expect((await stats()).totalEvents).toBe(events)
  })

describe('money', () => {
  it('is what a server states, and what a browser claims only until then', async () => {
    await post('pk', 'mallory', { orderId: 'W-1', revenue: 999_999_999, currency: 'EUR', items: [] })
    await stored(1)
    const claimed = { orders: 1, gross: 99_999_999_900 }
    const none = { orders: 0, gross: 0 }
    expect((await stats()).money).toEqual([{ currency: 'EUR', decimals: 2, ...claimed, claimed, verified: none }])
    await post('sk', 'lena', { orderId: 'W-1', revenue: 249.9, currency: 'EUR', items: [] })
    // Six days earlier, for nothing.
    await post('pk', 'mallory', { orderId: 'W-1', revenue: 0, currency: 'EUR', items: [] }, Date.now() - 6 * DAY_MS)
    await stored(3)
    const verified = { orders: 1, gross: 24_990 }
    expect((await stats()).money).toEqual([{ currency: 'EUR', decimals: 2, ...verified, verified, claimed: none }])
    expect((await stats()).aside).toEqual([
      { reason: 'other_amount', currency: 'EUR', decimals: 2, purchases: 2, gross: 99_999_999_900 },
    ])
  })

  it('is marked in a journey where it counts in another one', async () => {
    const { events } = await ask<{ events: object[] }>('/users/mallory/journey')
    const repeats = { userId: 'lena', eventId: 'money-1', trust: 'verified', differs: true }
    expect(events).toMatchObject([
      { trust: 'claimed', repeats },
      { trust: 'claimed', repeats },
    ])
    const own = await ask<{ events: object[] }>('/users/lena/journey')
    expect(own.events[0]).not.toHaveProperty('repeats')
  })

  it('has the decimals of its currency, and is set aside where it cannot be read', async () => {
    const mark = await post('sk', 'ada', { orderId: 7, revenue: '100.50', currency: 'huf', items: null })
    expect(Object.values(mark.results)[0]).toMatchObject({ result: 'warning', path: 'payload.orderId' })
    await post('sk', 'ada', { orderId: 'W-3', revenue: '4,245.42', currency: 'EUR', items: [] })
    await stored(5)
    const { money, aside } = await stats()
    const verified = { orders: 1, gross: 10_050 }
    const claimed = { orders: 0, gross: 0 }
    expect(money).toContainEqual({ currency: 'HUF', decimals: 2, ...verified, verified, claimed })
    expect(aside).toContainEqual({ reason: 'odd_amount', currency: 'EUR', decimals: 2, purchases: 1, gross: 0 })
  })

  it('has a column in users.csv though its only order is of long ago', async () => {
    await post('sk', 'old', { orderId: 'W-4', revenue: 1000, currency: 'ITL', items: [] }, Date.UTC(2001, 5, 1))
    await eventually(async () => {
      expect((await stats()).allTime.events).toBe(6)
    })
    const response = await fetch(`${server.url}/users.csv`, { headers: { cookie } })
    const [head = '', ...lines] = (await response.text()).replace(/^\ufeff/, '').split(/\r?\n/)
    expect(head).toContain('revenue_ITL')
    const column = head.split(',').indexOf('revenue_ITL')
    expect(lines.find((line) => line.startsWith('old,'))?.split(',')[column]).toBe('1000')
  })
})
