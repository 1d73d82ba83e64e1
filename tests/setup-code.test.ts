import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer, temporaryFolder } from './server.ts'
import { owner } from './shop.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function setupCode(dataDir: string, stage: string) {
  const { PATH, HOME } = process.env
  const env = {
    PATH,
    HOME,
    STAGE: stage,
    DATA_DIR: dataDir,
    PUBLIC_URL: 'https://veritas.example',
    NODE_ENV: 'test' as const,
  }
  const { status, stdout, stderr } = spawnSync('node', ['--import', 'tsx', 'scripts/setup-code.ts'], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  return { status, lines: stdout.trim().split('\n'), stderr }
}

describe('a server that others can reach before it has an owner', () => {
  let server: TestServer
  let code: string

  beforeAll(async () => {
    server = await startServer({ env: { STAGE: 'test', PUBLIC_URL: 'https://veritas.example' } })
    code = /set-up code: (\S+)/.exec(server.output())?.[1] ?? ''
  })

  const signUp = (body: object) =>
    fetch(`${server.url}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  const form = (fields: Record<string, string>) =>
    fetch(`${server.url}/signup`, {
      method: 'POST',
      headers: { accept: 'text/html' },
      body: new URLSearchParams({ ...owner, siteName: 'Shop', timeZone: 'UTC', currency: 'EUR', ...fields }),
      redirect: 'manual',
    })

  it('prints a code when it starts, the same after a restart and whenever it is asked for', async () => {
    expect(code).toMatch(/^(\w{4}-){3}\w{4}$/)
    expect(server.output()).toContain(`Create the owner's account at https://veritas.example/signup?code=${code}\n`)
    expect(server.output()).toContain('"msg":"nobody owns this server yet')
    expect(setupCode(server.dataDir, 'test')).toMatchObject({
      status: 0,
      lines: [code, `https://veritas.example/signup?code=${code}`],
    })
    // Without the settings of its server, too.
    expect(setupCode(server.dataDir, 'local')).toMatchObject({
      status: 0,
      lines: [code, expect.stringContaining(code)],
    })
    await server.restart()
    expect(server.output().split(`set-up code: ${code}`)).toHaveLength(3)
  })

  it.each([{}, { setupCode: '' }, { setupCode: 'AAAA-AAAA-AAAA-AAAA' }, { invitation: 'x', setupCode: 'no' }])(
    'does not belong to whoever comes first with %j',
    async (more) => {
      // Each from an email of its own: tries are counted.
      const email = `${JSON.stringify(more).length}@b.example`
      const answer = await signUp({ ...owner, email, ...more })
      expect(answer.status).toBe(403)
      expect(await answer.json()).toMatchObject({
        message: expect.stringContaining('npm run setup-code'),
        data: { field: 'setupCode' },
      })
    },
  )

  it('asks for the code on its page, and says by the field that it is wrong', async () => {
    const page = await (await fetch(`${server.url}/signup`, { headers: { accept: 'text/html' } })).text()
    expect(page).toMatch(/<label for="setupCode">Set-up code/)
    const refused = await form({ setupCode: 'wrong' })
    expect(refused.status).toBe(403)
    const text = await refused.text()
    expect(text).toMatch(/id="setupCode"[^>]*value="wrong"/)
    expect(text).toContain('The first account needs the set-up code')
    const linked = await fetch(`${server.url}/signup?code=${code}`, { headers: { accept: 'text/html' } })
    expect(await linked.text()).toContain(`value="${code}"`)
  })

  it('belongs to who has it, once', async () => {
    const made = await form({ setupCode: code.toLowerCase().replaceAll('-', ' ') })
    expect(made.status).toBe(302)
    expect(made.headers.get('location')).toBe('/dashboard')
    expect(existsSync(join(server.dataDir, 'setup-code'))).toBe(false)
    expect((await signUp({ ...owner, email: 'second@b.example', setupCode: code })).status).toBe(403)
    expect(setupCode(server.dataDir, 'test')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('has an owner'),
    })
    const before = server.output().length
    await server.restart()
    expect(server.output().slice(before)).not.toContain('set-up code')
    expect(existsSync(join(server.dataDir, 'setup-code'))).toBe(false)
  })
})

describe('a server that nobody else reaches', () => {
  it('needs no code', async () => {
    const dataDir = temporaryFolder()
    const server = await startServer({ dataDir, args: ['--no-demo'] })
    expect(server.output()).toContain(`Create the owner's account at ${server.url}/signup\n`)
    const page = await (await fetch(`${server.url}/signup`, { headers: { accept: 'text/html' } })).text()
    expect(page).not.toContain('for="setupCode"')
    expect(setupCode(dataDir, 'local')).toMatchObject({
      status: 0,
      lines: [expect.stringContaining('no code is needed'), expect.any(String)],
    })
    expect(existsSync(join(dataDir, 'setup-code'))).toBe(false)
  })
})
