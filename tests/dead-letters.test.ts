import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { eventSeq, type StoredEvent } from '../server/store/store.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { startServer, type TestServer } from './server.ts'
import { eventually, signUpOwner } from './shop.ts'

const run = promisify(execFile)
const NOW = Date.UTC(2026, 10, 23)
let server: TestServer
let cookie: string

const event = (eventId: string): StoredEvent => ({
  eventId,
  siteId: 'default',
  userId: 'u',
  sessionId: 's',
  type: 'page_view',
  payload: { url: '/' },
  occurredAt: NOW,
  receivedAt: NOW,
  seq: eventSeq(NOW, 0),
  trust: 'verified',
  issues: null,
})

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'], env: { DEAD_LETTERS_ALARM_BYTES: '12000' } })
  cookie = await signUpOwner(server.url)
  const letters = createDeadLetters({ dir: join(server.dataDir, 'dead-letters') })
  await letters.add(['a', 'b', 'c', 'd'].map((id, at) => ({ at, reason: 'a store that was wrong', event: event(id) })))
})

async function cli(...args: string[]): Promise<string> {
  const { stdout } = await run('node', [
    '--import',
    'tsx',
    'scripts/dead-letters.ts',
    ...args,
    '--data-dir',
    server.dataDir,
  ])
  return stdout.trim()
}

async function trpc<T>(path: string, input: unknown, method: 'GET' | 'POST'): Promise<T> {
  const json = JSON.stringify(input)
  const response = await fetch(
    `${server.url}/trpc/${path}${method === 'GET' ? `?input=${encodeURIComponent(json)}` : ''}`,
    {
      method,
      headers: { cookie, 'content-type': 'application/json' },
      ...(method === 'POST' && { body: json }),
    },
  )
  expect(response.status).toBe(200)
  return ((await response.json()) as { result: { data: T } }).result.data
}

const totalEvents = async () =>
  ((await (await fetch(`${server.url}/stats`, { headers: { cookie } })).json()) as { totalEvents: number }).totalEvents

const health = async () =>
  (await (await fetch(`${server.url}/health`)).json()) as { status: string; troubles: string[] }

describe('dead letters of a running server', () => {
  it('are told of by health and on the page when they are too many, and hold up no event', async () => {
    await eventually(async () =>
      expect(await health()).toMatchObject({
        status: 'degraded',
        troubles: [expect.stringContaining('dead letters take more')],
      }),
    )
    expect(await (await fetch(`${server.url}/system`, { headers: { cookie } })).text()).toContain(
      'dead letters take more',
    )
    const { payload, userId, sessionId, type } = event('e')
    const body = JSON.stringify({ payload, userId, sessionId, type })
    expect((await fetch(`${server.url}/events`, { method: 'POST', body })).status).toBe(202)
    await eventually(async () => expect(await totalEvents()).toBe(1))
  })

  it('are counted, listed, replayed and discarded by command and by procedure', async () => {
    const listed = await trpc<{ id: string; eventId: string; reason: string }[]>('system.deadLetters', {}, 'GET')
    expect(listed.map((letter) => letter.eventId)).toEqual(['a', 'b', 'c', 'd'])
    const [first, second, next] = (await cli('list', '--limit', '2')).split('\n')
    expect([first, second].map((line) => line?.split('\t')[3])).toEqual(['a', 'b'])
    const rest = await cli('list', ...(/--after .*/.exec(next ?? '')?.[0].split(' ') ?? []))
    expect(rest.split('\n').map((line) => line.split('\t')[3])).toEqual(['c', 'd', undefined])
    expect(rest).toContain('4 dead letters')
    expect(JSON.parse(await cli('show', listed[0]!.id))).toMatchObject({
      reason: 'a store that was wrong',
      event: { eventId: 'a' },
    })

    expect(await trpc('system.replayDeadLetters', { ids: [listed[0]!.id] }, 'POST')).toEqual({
      stored: 1,
      duplicate: 0,
      refused: 0,
      failed: 0,
      problem: null,
    })
    expect(await cli('replay', listed[1]!.id)).toBe('1 stored, 0 stored before, 0 refused again, 0 failed')
    expect(await totalEvents()).toBe(3)

    expect(await trpc('system.discardDeadLetters', { ids: [listed[2]!.id] }, 'POST')).toEqual({ discarded: 1 })
    expect(await cli('discard', '--all')).toBe('1 discarded')
    expect(await cli('list')).toBe('0 dead letters')
    expect(await totalEvents()).toBe(3)
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok', troubles: [] }))
  })

  it('stand beside the events that came under the id of another one, which a command shows', async () => {
    const post = async (...urls: string[]) => {
      const { eventId, userId, sessionId, type } = event('used-twice')
      const body = JSON.stringify(urls.map((url) => ({ eventId, userId, sessionId, type, payload: { url } })))
      expect((await fetch(`${server.url}/events`, { method: 'POST', body })).status).toBe(202)
    }
    expect(await cli('conflicts')).toBe('')
    const before = await totalEvents()
    await post('/first')
    await eventually(async () => expect(await totalEvents()).toBe(before + 1))
    await post('/first', '/second', '/third')
    const shown = async (...args: string[]) =>
      (await cli('conflicts', ...args))
        .split('\n')
        .map((line) => JSON.parse(line) as { at: string; event: StoredEvent })
    await eventually(async () =>
      expect((await shown()).map(({ event: { payload } }) => payload)).toEqual([{ url: '/second' }, { url: '/third' }]),
    )
    const [last] = await shown('--limit', '1')
    expect(last).toMatchObject({ event: { eventId: 'used-twice', payload: { url: '/third' } } })
    expect(Date.now() - Date.parse(last!.at)).toBeLessThan(3_600_000)
    expect(await totalEvents()).toBe(before + 1)
  })

  it('are out of reach without the owner’s login', async () => {
    const response = await fetch(`${server.url}/trpc/system.deadLetters?input=%7B%7D`)
    expect(response.status).toBe(401)
  })

  it('a wrong call of the command is one line and exit code 2', async () => {
    await expect(cli('explode')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('Say what to do') })
    await expect(cli('show', 'nothing')).rejects.toMatchObject({ stderr: expect.stringContaining('no dead letter') })
  })
})
