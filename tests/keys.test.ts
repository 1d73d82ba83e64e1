import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from './server.ts'

const run = promisify(execFile)
let server: TestServer
const keys: Record<'pk' | 'sk' | 'slow', string> = { pk: '', sk: '', slow: '' }

async function createKey(...args: string[]): Promise<string> {
  const { stdout } = await run('node', [
    '--import',
    'tsx',
    'scripts/keys.ts',
    'create',
    ...args,
    '--data-dir',
    server.dataDir,
  ])
  return stdout.trim()
}

beforeAll(async () => {
  server = await startServer({ args: ['--no-demo'], env: { INGEST_KEYLESS: 'refuse' } })
  keys.pk = await createKey('--kind', 'pk', '--site', 'default', '--name', 'the shop')
  keys.sk = await createKey('--kind', 'sk')
  keys.slow = await createKey('--kind', 'pk', '--rate', '1')
})

const event = { userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } }

function post(body: unknown, headers: Record<string, string> = {}, query = ''): Promise<Response> {
  return fetch(`${server.url}/events${query}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

describe('write keys', () => {
  it('are printed once, alone, and are not in the store', async () => {
    expect(keys.pk).toMatch(/^pk_[\w-]{43}$/)
    const { stdout } = await run('node', ['--import', 'tsx', 'scripts/keys.ts', 'list', '--data-dir', server.dataDir])
    expect(stdout).toContain('the shop')
    expect(stdout).not.toContain(keys.pk)
  })

  it('are refused once they are revoked, by the id that list tells', async () => {
    const leaked = await createKey('--kind', 'sk', '--name', 'leaked')
    const keysCommand = (...args: string[]) =>
      run('node', ['--import', 'tsx', 'scripts/keys.ts', ...args, '--data-dir', server.dataDir])
    const { stdout } = await keysCommand('list')
    const id = /^(\S+)\tsk\t.*leaked$/m.exec(stdout)?.[1]
    expect(await keysCommand('revoke', id!)).toMatchObject({ stdout: `Revoked ${id}.\n` })
    // A key that this process has not met: one that it knows is taken for half a minute longer.
    expect((await post(event, { 'x-write-key': leaked })).status).toBe(401)
    expect((await post(event, { 'x-write-key': keys.sk })).status).toBe(202)
    await expect(keysCommand('revoke', id!)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(id!) })
  })

  it('are taken from every place that a client may put them', async () => {
    const basic = Buffer.from(`${keys.sk}:`).toString('base64')
    const answers = await Promise.all([
      post(event, { authorization: `Bearer ${keys.pk}` }),
      post(event, { authorization: `Basic ${basic}` }),
      post(event, { 'x-write-key': keys.sk }),
      post(event, {}, `?writeKey=${keys.pk}`),
      post({ batch: [event], writeKey: keys.pk }),
      post({ batch: [event], api_key: keys.sk }),
    ])
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202, 202, 202])
  })

  it.each([
    ['no key', {}],
    ['an unknown key', { authorization: `Bearer pk_${'x'.repeat(43)}` }],
    ['an API token', { authorization: 'Bearer vt_x' }],
  ])('a request with %s is 401 JSON', async (_name, headers) => {
    const answer = await post(event, headers as Record<string, string>)
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ error: 'Unauthorized', message: expect.stringContaining('key') })
  })

  it('a browser key may not write history or large bodies; a server key may', async () => {
    const old = { ...event, occurredAt: Date.now() - 8 * 24 * 3_600_000 }
    const refused = await post([old, event], { authorization: `Bearer ${keys.pk}` })
    expect(await refused.json()).toMatchObject({ accepted: 1, rejected: 1, results: { '#0': { code: 'too_old' } } })
    expect((await post(old, { authorization: `Bearer ${keys.sk}` })).status).toBe(202)
    const large = Array.from({ length: 100 }, () => ({ ...event, payload: { url: 'x'.repeat(12_000) } }))
    for (const answer of [
      await post(large, { authorization: `Bearer ${keys.pk}` }),
      await post({ batch: large, writeKey: keys.pk }),
    ]) {
      expect(answer.status).toBe(413)
      // The limit of its key, not that of servers.
      expect(await answer.json()).toMatchObject({
        message: expect.stringContaining('1048576'),
        limits: { maxBodyBytes: 1_048_576 },
      })
    }
    expect((await post(large, { authorization: `Bearer ${keys.sk}` })).status).toBe(202)
  })

  it('a key is held to its rate with 429 and Retry-After', async () => {
    // Five events at once and one a second after that: more than a machine can be slow enough for.
    const fifty = Array.from({ length: 50 }, () => event)
    expect((await post(fifty, { authorization: `Bearer ${keys.slow}` })).status).toBe(202)
    const refused = await post(fifty, { authorization: `Bearer ${keys.slow}` })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // Its debt is of most of a minute: one that comes now is refused by its head alone.
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`POST /events HTTP/1.1\r\nHost: x\r\nX-Write-Key: ${keys.slow}\r\nContent-Length: 50000\r\n\r\n[`)
    const [answer] = await once(socket, 'data')
    socket.destroy()
    expect(String(answer)).toMatch(/^HTTP\/1\.1 429 /)
  })

  it('a wrong call of the command names what is wrong', async () => {
    await expect(createKey('--kind', 'x')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--kind'),
    })
    await expect(createKey('--kind', 'pk', '--site', 'nowhere')).rejects.toMatchObject({
      stderr: expect.stringContaining('nowhere'),
    })
  })
})
