import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../needs.ts'
import { eventually } from '../shop.ts'
import { type Box, createBox } from './box.ts'
import { curl } from './programs.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))

interface Made {
  path: string
  sha256: string
  version: string
  key: string
  bytes: number
}

function npmRun(script: string, ...args: string[]) {
  return npmRunWith({}, script, ...args)
}

function npmRunWith(env: Record<string, string>, script: string, ...args: string[]) {
  const ended = spawnSync(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}

describe('npm run package and npm run release', () => {
  it.each<[string, string[], string]>([
    ['package', ['--cpu', 'vax'], '--cpu takes x64 or arm64, not vax'],
    ['package', ['--wrong'], '--wrong'],
    ['release', [], '--stage: name the installation'],
    ['release', ['--stage', 'Prod!'], '--stage Prod!: small letters'],
    ['release', ['--stage', 'local'], 'npm start on your own machine'],
  ])('%s %j is refused in one line', (script, args, says) => {
    const { code, stdout, stderr } = npmRun(script, ...args)
    expect(stderr).toContain(says)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('release is for the processor of the stage, and refuses another one', () => {
    const refused = npmRunWith({ VERITAS_INSTANCE_TYPE: 't4g.small' }, 'release', '--stage', 'staging', '--cpu', 'x64')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('--cpu x64: the server of staging is arm64')
  })
})

describeWith(curl, 'a release of this checkout', () => {
  let box: Box
  let made: Made
  beforeAll(async () => {
    const { code, stdout, stderr } = npmRun('package', '--json')
    if (code !== 0) throw new Error(stderr)
    made = JSON.parse(stdout) as Made
    box = await createBox()
  }, 600_000)
  afterAll(() => box?.close())

  it('is the same when it is made again', () => {
    const { code, stdout } = npmRun('package', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(made)
  }, 300_000)

  it('serves on a box that has nothing else, and has the commands for operators', async () => {
    box.upload(made.key, join(checkout, made.path))
    const ran = await box.run('deploy.sh', 'veritas-test-releases', made.key, made.sha256, made.version)
    expect(ran.output).toContain(`Release ${made.version} serves`)
    expect(ran.code).toBe(0)
    await eventually(async () => {
      const health = (await (await fetch(`http://127.0.0.1:${box.port}/health`)).json()) as object
      expect(health).toMatchObject({ status: 'ok', version: made.version, role: 'all' })
    })
    expect((await fetch(`http://127.0.0.1:${box.port}/signup`)).status).toBe(200)

    const folder = box.path('opt/veritas/current')
    const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    expect(Object.keys(scripts)).toEqual(
      expect.arrayContaining(['invite', 'setup-code', 'tokens', 'keys', 'dead-letters']),
    )
    for (const name of Object.keys(scripts)) {
      const help = spawnSync('npm', ['run', '--silent', name, '--', '--help'], { cwd: folder, encoding: 'utf8' })
      expect(help.stderr, name).toBe('')
      expect(help.stdout, name).toContain(`npm run ${name}`)
    }
    const key = spawnSync('npm', ['run', '--silent', 'keys', '--', 'create', '--kind', 'sk'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(key.stdout.trim()).toMatch(/^sk_/)
    // As the timer does it; the settings say where to.
    writeFileSync(join(folder, '.env'), `${box.read('opt/veritas/current/.env')}BACKUP_URL='${box.path('backups')}'\n`)
    expect(await box.run('backup.sh')).toMatchObject({ code: 0, output: expect.stringContaining('.tar.gz') })
    expect(readdirSync(box.path('backups'))).toEqual([expect.stringMatching(/^veritas-.*\.tar\.gz$/)])

    const event = { userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } }
    const post = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${box.port}/events`, { method: 'POST', headers, body: JSON.stringify(event) })
    expect((await post({ authorization: `Bearer ${key.stdout.trim()}` })).status).toBe(202)
    // On a stage of one's own nobody posts without a key.
    expect((await post({})).status).toBe(401)
    for (const path of ['scripts/keys.ts', 'node_modules/tsx', 'node_modules/vite', '.env.example'])
      expect(existsSync(join(folder, path)), path).toBe(false)
  })

  /** Does with a release what `sst deploy` does: uploads it, and has the box take it. */
  const deploying = () => `#!/usr/bin/env bash
set -eu
echo "asked: $*"
key=releases/$VERITAS_ARTIFACT_SHA256.tar.gz
mkdir -p '${box.path('stubs/s3/veritas-test-releases/releases')}'
cp "$VERITAS_ARTIFACT" "${box.path('stubs/s3/veritas-test-releases')}/$key"
export VERITAS_ROOT='${box.root}' STUB_DIR='${box.path('stubs')}' PATH='${box.path('stubs/bin')}:${process.env.PATH}'
exec '${box.path('opt/veritas/bin/deploy.sh')}' veritas-test-releases "$key" "$VERITAS_ARTIFACT_SHA256" "$VERITAS_VERSION"
`

  it('goes out by one command, which fails when it is not put in place', async () => {
    const folder = box.path('npx')
    const npx = (content: string) => {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'npx'), content, { mode: 0o755 })
    }
    const PATH = `${folder}:${process.env.PATH}`
    npx(deploying())
    const well = npmRunWith({ PATH }, 'release', '--stage', 'staging')
    expect(well, well.stderr).toMatchObject({ code: 0 })
    const [, version] = /^Made (\S+): build\/artifacts\/\S+, sha256 [0-9a-f]{64}$/m.exec(well.stdout) ?? []
    expect(well.stdout).toContain('/health tells its version')
    expect(well.stdout).toContain('asked: sst deploy --stage staging\n')
    expect(well.stdout).toMatch(/Release \S+ serves/)
    expect(well.stdout).toContain(`${version} serves on staging.`)
    expect(box.current()).toBe(version)

    npx('#!/bin/sh\nexit 6\n')
    const refused = npmRunWith({ PATH }, 'release', '--stage', 'staging')
    expect(refused.stderr).toMatch(/sst deploy ended with 6: \S+ may not be in place/)
    expect(refused.code).toBe(1)
  }, 600_000)
})
