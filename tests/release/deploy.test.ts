import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { test as base, describe, expect } from 'vitest'
import { eventually } from '../shop.ts'
import { type Box, createBox, type Ran } from './box.ts'
import { type Behaviour, type Uploaded, uploadSmall } from './small-release.ts'

/** Makes boxes that end with the test: tests mostly wait, each beside others, and none knows of another's box. */
const it = base.extend<{ newBox: typeof createBox }>({
  newBox: async ({ onTestFinished }, use) => {
    await use(async (settings) => {
      const box = await createBox(settings)
      onTestFinished(() => box.close())
      return box
    })
  },
})

/** For releases that are good, also at a moment when the machine stands still. */
const unhurried = { TRIAL_SECONDS: '30', HEALTH_SECONDS: '30' }

function begin(box: Box, { bucket, key, sha256, version }: Uploaded) {
  return box.begin('deploy.sh', bucket, key, sha256, version)
}

function deploy(box: Box, what: Uploaded): Promise<Ran> {
  return begin(box, what).ended
}

async function served(box: Box, version: string): Promise<void> {
  const { code, output } = await deploy(box, await uploadSmall(box, version))
  expect(output).toContain(`Release ${version} serves`)
  expect(code).toBe(0)
}

/** Asks again and again until it is told to stop; resolves to the versions that answered, and how often nobody did. */
function ask(port: number) {
  const versions = new Map<string, number>()
  let failed = 0
  let asking = true
  const done = (async () => {
    while (asking) {
      try {
        // What is never answered has failed as well.
        const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20_000) })
        const { version } = (await response.json()) as { version: string }
        versions.set(version, (versions.get(version) ?? 0) + 1)
      } catch {
        failed++
      }
      await sleep(10)
    }
  })()
  return async () => {
    asking = false
    await done
    return { versions: [...versions.keys()], failed }
  }
}

describe.concurrent('a release', () => {
  it('is fetched, checked, switched to without a failed request, and not done twice', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+a')
    const first = await box.processes()
    expect(first).toMatchObject([{ name: 'veritas', status: 'online', restarts: 0 }])
    const stop = ask(box.port)
    const second = await uploadSmall(box, '1.0.0+b')
    expect(await deploy(box, second)).toMatchObject({ code: 0 })
    expect(await stop()).toEqual({ versions: ['1.0.0+a', '1.0.0+b'], failed: 0 })
    expect(box.current()).toBe('1.0.0+b')
    // systemd started PM2, once; the second release had it reload.
    expect(box.calls().match(/systemctl (re)?start veritas/g)).toHaveLength(1)

    const again = await deploy(box, second)
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('serves already') })
    expect((await box.processes())[0]!.restarts).toBe(1)
  })

  it('has settings of its own, which nobody else may read and no log or command line shows', async ({ newBox }) => {
    const box = await newBox()
    const SESSION_SECRET = `it's "very" secret $HOME \\n # ${'x'.repeat(40)}`
    box.setParameters({ ORIGIN_SECRET: box.originSecret, SITE_NAME: 'Nordlicht', SESSION_SECRET })
    const { code, output } = await deploy(box, await uploadSmall(box, '1.0.0+a'))
    expect(code).toBe(0)
    const answer = await (await fetch(`http://127.0.0.1:${box.port}/`)).json()
    expect(answer).toMatchObject({ site: 'Nordlicht' })
    for (const file of ['etc/veritas/server.env', 'etc/nginx/veritas-origin.map', 'opt/veritas/current/.env'])
      expect(statSync(box.path(file)).mode & 0o777, file).toBe(0o600)
    expect(box.read('opt/veritas/current/.env')).not.toContain('ORIGIN_SECRET')
    const pm2 = JSON.stringify(await box.processes()) + box.read('opt/veritas/.pm2/pm2.log')
    for (const told of [output, box.calls(), box.read('var/log/veritas/releases.log'), pm2]) {
      expect(told).not.toContain('secret $HOME')
      expect(told).not.toContain(box.originSecret)
    }
    const [running] = await box.processes()
    expect(readFileSync(`/proc/${running!.pid}/environ`, 'utf8')).not.toContain('secret')

    // Other parameters are a reason to start the same release again.
    box.setParameters({ ORIGIN_SECRET: box.originSecret, SITE_NAME: 'Südlicht' })
    expect(await deploy(box, await uploadSmall(box, '1.0.0+a'))).toMatchObject({ code: 0 })
    expect(await (await fetch(`http://127.0.0.1:${box.port}/`)).json()).toMatchObject({ site: 'Südlicht' })
  })

  it('stays with four others, and any of them can be gone back to', async ({ newBox }) => {
    const box = await newBox()
    for (const name of 'abcdef') await served(box, `1.0.0+${name}`)
    expect(box.releases()).toEqual([...'bcdef'].map((name) => `1.0.0+${name}`))

    expect(await box.run('rollback.sh')).toMatchObject({ code: 0, output: expect.stringContaining('1.0.0+e serves') })
    expect(box.current()).toBe('1.0.0+e')
    expect(await box.run('rollback.sh', '1.0.0+d')).toMatchObject({ code: 0 })
    expect((await (await fetch(`http://127.0.0.1:${box.port}/`)).json()) as object).toMatchObject({
      version: '1.0.0+d',
    })
    const unknown = await box.run('rollback.sh', '1.0.0+a')
    expect(unknown).toMatchObject({ code: 2, output: expect.stringContaining('1.0.0+a is not on this box') })
    expect(box.current()).toBe('1.0.0+d')
  })
})

describe.concurrent('a release that is no good', () => {
  // Short only for what never answers; the one that serves has HEALTH_SECONDS as well when it is gone back to.
  const shortTrial = { TRIAL_SECONDS: '3' }
  const shortSwitch = { HEALTH_SECONDS: '15' }
  it.for<[Behaviour, number, RegExp, Record<string, string>]>([
    ['migration fails', 5, /migration 7 of the store failed.*\n.*1\.0\.0\+good serves on as before/, {}],
    ['never healthy', 5, /did not say "1\.0\.0\+bad" and ok within 3 s/, shortTrial],
    ['tells another version', 5, /did not say "1\.0\.0\+bad" and ok within 3 s/, shortTrial],
    ['never listens', 5, /did not say "1\.0\.0\+bad" and ok within 3 s/, shortTrial],
    ['dies under PM2', 6, /was taken back: 1\.0\.0\+good serves again/, shortSwitch],
    ['never listens under PM2', 6, /was taken back: 1\.0\.0\+good serves again/, shortSwitch],
  ])(
    '%s: exit code %i, and the one before serves on without a failed request',
    async ([behaviour, code, says, times], { newBox }) => {
      const box = await newBox()
      await served(box, '1.0.0+good')
      const stop = ask(box.port)
      const bad = await uploadSmall(box, '1.0.0+bad', behaviour)
      box.set(times)
      const ran = await deploy(box, bad)
      box.set(unhurried)
      await sleep(500)
      expect(await stop()).toEqual({ versions: ['1.0.0+good'], failed: 0 })
      expect(ran.output).toMatch(says)
      expect(ran.code).toBe(code)
      expect(box.current()).toBe('1.0.0+good')
      expect(box.read('var/log/veritas/releases.log')).toContain('1.0.0+bad')
      expect(await box.processes()).toMatchObject([{ name: 'veritas', status: 'online' }])

      // The box takes the next one as if nothing had been.
      await served(box, '1.0.0+next')
    },
  )

  it('is taken back when it starts and does not answer, and nothing fails on the way', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+good')
    const stop = ask(box.port)
    box.set(shortSwitch)
    const ran = await deploy(box, await uploadSmall(box, '1.0.0+bad', 'never healthy under PM2'))
    expect((await stop()).failed).toBe(0)
    expect(ran).toMatchObject({ code: 6, output: expect.stringContaining('1.0.0+good serves again') })
    expect((await (await fetch(`http://127.0.0.1:${box.port}/`)).json()) as object).toMatchObject({
      version: '1.0.0+good',
    })
  })

  it('is taken back in time also by a PM2 that hangs when it is asked what it runs', async ({ newBox }) => {
    const box = await newBox()
    writeFileSync(box.path('hangs.mjs'), 'setInterval(() => {}, 1000)')
    const asking = `. "$VERITAS_ROOT/opt/veritas/bin/settings.sh" && . "$bin/switch.sh" && read_settings
      pm2_program=$VERITAS_ROOT/hangs.mjs
      unready 2>/dev/null || echo 'went on'`
    writeFileSync(box.path('opt/veritas/bin/asking.sh'), `#!/usr/bin/env bash\n${asking}\n`, { mode: 0o755 })
    expect(await box.run('asking.sh')).toMatchObject({ output: 'went on\n' })
  })

  it('is taken back when deploy.sh is told to end in the middle', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+good')
    const stop = ask(box.port)
    const bad = await uploadSmall(box, '1.0.0+bad', 'never listens under PM2')
    const { child, ended } = begin(box, bad)
    await eventually(async () =>
      expect(await box.processes()).toContainEqual(expect.objectContaining({ status: 'launching' })),
    )
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 6, output: expect.stringContaining('was interrupted') })
    expect(box.current()).toBe('1.0.0+good')

    // Before PM2 was told anything: by the very command that switches.
    writeFileSync(
      box.path('stubs/bin/mv'),
      `#!/bin/sh\n/bin/mv "$@"; case "$*" in */current) mkdir "$0.told" && kill -TERM $PPID; esac\n`,
      { mode: 0o755 },
    )
    expect(await deploy(box, bad)).toMatchObject({ code: 6, output: expect.stringContaining('was interrupted') })
    expect(existsSync(box.path('stubs/bin/mv.told'))).toBe(true)
    expect(box.current()).toBe('1.0.0+good')
    expect(await stop()).toEqual({ versions: ['1.0.0+good'], failed: 0 })
  })

  it('leaves nothing behind when it was the first', async ({ newBox }) => {
    const box = await newBox()
    const early = await deploy(box, await uploadSmall(box, '1.0.0+bad', 'migration fails'))
    expect(early).toMatchObject({ code: 5, output: expect.stringContaining('Nothing serves on as before') })
    box.set(shortSwitch)
    const late = await deploy(box, await uploadSmall(box, '1.0.0+worse', 'dies under PM2'))
    expect(late).toMatchObject({ code: 6, output: expect.stringContaining('nothing serves') })
    expect(box.current()).toBeNull()
    box.set(unhurried)
    await served(box, '1.0.0+good')
  })

  it('is not unpacked with a wrong checksum, a wrong version or wrong contents', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+good')
    const bad = await uploadSmall(box, '1.0.0+bad')
    const before = box.releases()
    const expectRefused = async (what: Uploaded, code: number, says: string) => {
      const ran = await deploy(box, what)
      expect(ran.output).toContain(says)
      expect(ran.code).toBe(code)
      // Nor is what was fetched left to fill the disk.
      expect(box.releases()).toEqual(before)
      expect(box.current()).toBe('1.0.0+good')
    }
    await expectRefused({ ...bad, sha256: 'a'.repeat(64) }, 4, `has the checksum ${bad.sha256}, not ${'a'.repeat(64)}`)
    await expectRefused({ ...bad, version: '1.0.0+other' }, 4, 'is release 1.0.0+bad, not 1.0.0+other')
    await expectRefused({ ...bad, version: '1.0.0+good' }, 4, 'Release 1.0.0+good is here already with the checksum')
    await expectRefused({ ...bad, key: 'releases/missing.tar.gz' }, 4, 'cannot be fetched')
    await expectRefused({ ...bad, version: '../../etc' }, 2, 'is not the name of a version')
    await expectRefused({ ...bad, sha256: 'short' }, 2, 'is not 64 hexadecimal digits')
    await expectRefused({ ...bad, key: 'a b' }, 2, 'is not the key of a release')
    expect(await box.run('deploy.sh')).toMatchObject({ code: 2, output: expect.stringContaining('Usage: deploy.sh') })
    box.stub('denied', '')
    await expectRefusedAfterFetch(box, bad)
  })

  async function expectRefusedAfterFetch(box: Box, what: Uploaded) {
    const ran = await deploy(box, what)
    expect(ran).toMatchObject({ code: 2, output: expect.stringContaining('AccessDenied') })
    expect(ran.output).toContain('Nothing was changed')
    expect(box.current()).toBe('1.0.0+good')
  }
})

describe.concurrent('a script that is killed, at whatever step,', () => {
  async function killed(box: Box, what: Uploaded, when: () => void): Promise<void> {
    const { child, ended } = begin(box, what)
    await eventually(async () => when())
    child.kill('SIGKILL')
    await ended
  }

  it('while it fetches: the next fetches anew', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+good')
    const next = await uploadSmall(box, '1.0.0+next')
    box.stub('slow', '')
    await killed(box, next, () => expect(box.releases()).toContain('.incoming'))
    expect(box.current()).toBe('1.0.0+good')
    box.stub('slow', null)
    expect(await deploy(box, next)).toMatchObject({ code: 0 })
    expect(box.releases()).toEqual(['1.0.0+good', '1.0.0+next'])
  })

  it('in the trial: what it tried is ended by the next, and answers for nobody', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+good')
    const trial = box.path('opt/veritas/.trial')
    await killed(box, await uploadSmall(box, '1.0.0+bad', 'never healthy'), () => expect(existsSync(trial)).toBe(true))
    const pid = Number(readFileSync(trial, 'utf8'))
    await served(box, '1.0.0+next')
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(existsSync(trial)).toBe(false)
  })

  it('after the switch: what served last is what the next goes back to', async ({ newBox }) => {
    const box = await newBox({ HEALTH_SECONDS: '15' })
    await served(box, '1.0.0+good')
    const stop = ask(box.port)
    const bad = await uploadSmall(box, '1.0.0+bad', 'never listens under PM2')
    await killed(box, bad, () => expect(box.current()).toBe('1.0.0+bad'))
    const worse = await deploy(box, await uploadSmall(box, '1.0.0+worse', 'migration fails'))
    expect(worse).toMatchObject({ code: 5, output: expect.stringContaining('1.0.0+good serves on as before') })
    expect(box.current()).toBe('1.0.0+good')
    await killed(box, bad, () => expect(box.current()).toBe('1.0.0+bad'))
    expect(await box.run('rollback.sh')).toMatchObject({
      code: 0,
      output: expect.stringContaining('1.0.0+good serves'),
    })
    expect(box.current()).toBe('1.0.0+good')
    await served(box, '1.0.0+next')
    expect((await stop()).failed).toBe(0)
  })

  it('with other settings for what serves: the next does not believe that they are in use', async ({ newBox }) => {
    const box = await newBox()
    const good = await uploadSmall(box, '1.0.0+good')
    expect(await deploy(box, good)).toMatchObject({ code: 0 })
    box.setParameters({ ORIGIN_SECRET: box.originSecret, SITE_NAME: 'Nordlicht' })
    await killed(box, good, () => expect(box.read('opt/veritas/current/.env')).toContain('Nordlicht'))
    const again = await deploy(box, good)
    expect(again).toMatchObject({ code: 0 })
    expect(await (await fetch(`http://127.0.0.1:${box.port}/`)).json()).toMatchObject({ site: 'Nordlicht' })
  })
})

describe.concurrent('a release that cannot be switched to', () => {
  it('leaves everything as it was, its settings included', async ({ newBox }) => {
    const box = await newBox()
    const good = await uploadSmall(box, '1.0.0+good')
    expect(await deploy(box, good)).toMatchObject({ code: 0 })
    const env = box.read('opt/veritas/current/.env')
    // As on a full disk, PM2's file cannot be replaced.
    const file = box.path('opt/veritas/ecosystem.config.cjs')
    renameSync(file, `${file}.kept`)
    mkdirSync(file)
    box.setParameters({ ORIGIN_SECRET: box.originSecret, SITE_NAME: 'Nordlicht' })
    for (const release of [await uploadSmall(box, '1.0.0+next'), good]) {
      const ran = await deploy(box, release)
      expect(ran.output).toContain('1.0.0+good serves on as before')
      expect(ran.code).toBe(1)
      expect(box.current()).toBe('1.0.0+good')
      expect(box.read('opt/veritas/current/.env')).toBe(env)
    }
    rmSync(file, { recursive: true })
    renameSync(`${file}.kept`, file)
    await served(box, '1.0.0+next')
  })
})

describe.concurrent('two releases at once', () => {
  it('are one: the second is told so', async ({ newBox }) => {
    // Longer than the second waits for what a killed script may have left behind.
    const box = await newBox({ TRIAL_SECONDS: '20' })
    const slow = deploy(box, await uploadSmall(box, '1.0.0+slow', 'never listens'))
    await eventually(async () => expect(existsSync(box.path('opt/veritas/.trial'))).toBe(true))
    const second = await deploy(box, await uploadSmall(box, '1.0.0+b'))
    expect(second).toMatchObject({ code: 3, output: expect.stringContaining('Another release is under way') })
    expect(await slow).toMatchObject({ code: 5 })
    // The lock went with the first, and PM2's daemon does not hold it.
    await served(box, '1.0.0+b')
    await served(box, '1.0.0+c')
  })

  it('are none when the first was killed, and what it had called is only just ending', async ({ newBox }) => {
    const box = await newBox()
    const hold = async () => {
      const left = spawn('flock', [box.path('opt/veritas/release.lock'), 'sh', '-c', 'echo held; sleep 2'])
      await once(left.stdout, 'data')
    }
    await hold()
    await served(box, '1.0.0+good')
    await hold()
    expect(await box.run('rollback.sh', '1.0.0+good')).toMatchObject({ code: 0 })
  })
})

describe.concurrent('the settings of a box', () => {
  it.for([
    ['STAGE', 'Prod!', 'small letters, digits and dashes'],
    ['PARAMETER_PREFIX', 'veritas', 'a path such as /veritas/prod/'],
    ['STORE', 'oracle', 'embedded, self-hosted or uri'],
    ['ROLES', 'both', 'all or split'],
    ['DATA_VOLUME_ID', 'sdf', 'the id of the data volume'],
    ['HEALTH_SECONDS', '90', 'a number of seconds below 50'],
  ])('%s=%s stops everything with its name', async ([name = '', value = '', says = ''], { newBox }) => {
    const box = await newBox({ [name]: value })
    const ran = await box.run('deploy.sh', 'veritas-test-releases', 'releases/x', 'a'.repeat(64), '1.0.0')
    expect(ran).toMatchObject({ code: 2, output: expect.stringContaining(`${name} in `) })
    expect(ran.output).toContain(says)
    expect(box.calls()).toBe('')
  })

  it('give a release less time to answer than PM2 gives it to start, so that it can be taken back', async ({
    newBox,
  }) => {
    const { apps } = createRequire(import.meta.url)('../../ecosystem.config.cjs') as {
      apps: { listen_timeout: number }[]
    }
    const longest = 49
    expect(await (await newBox({ HEALTH_SECONDS: String(longest) })).run('secrets.sh')).toMatchObject({ code: 0 })
    expect(await (await newBox({ HEALTH_SECONDS: String(longest + 1) })).run('secrets.sh')).toMatchObject({ code: 2 })
    for (const { listen_timeout } of apps) expect(listen_timeout).toBeGreaterThanOrEqual((longest + 10) * 1000)
  })

  it('are text, whatever they say', async ({ newBox }) => {
    const box = await newBox()
    const SITE_NAME = `$(touch ${box.path('never')}); \`touch ${box.path('never')}\``
    writeFileSync(box.path('etc/veritas/box.env'), `${box.read('etc/veritas/box.env')}SITE_NAME='${SITE_NAME}'\n`)
    await served(box, '1.0.0+a')
    expect(await (await fetch(`http://127.0.0.1:${box.port}/`)).json()).toMatchObject({ site: SITE_NAME })
    expect(existsSync(box.path('never'))).toBe(false)
  })
})

describe.concurrent('what runs beside releases', () => {
  it('opens logs anew, each line in one file, and backs up with the settings of what serves', async ({ newBox }) => {
    const box = await newBox()
    await served(box, '1.0.0+a')
    const log = box.path('var/log/veritas/server/veritas-out.log')
    const old = `${log}.1`
    // Each line tells the request it belongs to; whoever asks for /health beside these writes lines of its own.
    const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])
    const written = (file: string, line: string) =>
      eventually(async () => expect(lines(file).filter((each) => each === line)).toHaveLength(1))
    await fetch(`http://127.0.0.1:${box.port}/first`)
    await written(log, 'asked /first')
    renameSync(log, old)
    // Moved, and not yet let go.
    await fetch(`http://127.0.0.1:${box.port}/moved`)
    await written(old, 'asked /moved')
    expect(await box.run('reopen-logs.sh')).toMatchObject({ code: 0 })
    // What PM2 prints once the process writes to the new file.
    await written(log, 'Reloading log...')
    await fetch(`http://127.0.0.1:${box.port}/second`)
    await written(log, 'asked /second')
    const asked = (file: string) => lines(file).filter((line) => /^asked \/(first|moved|second)$/.test(line))
    expect(asked(old)).toEqual(['asked /first', 'asked /moved'])
    expect(asked(log)).toEqual(['asked /second'])

    expect(await box.run('backup.sh')).toMatchObject({
      code: 2,
      output: expect.stringContaining('BACKUP_URL is not set'),
    })
    const env = box.read('opt/veritas/current/.env')
    writeFileSync(box.path('opt/veritas/current/.env'), `${env}BACKUP_URL=s3://somewhere\n`)
    const backup = await box.run('backup.sh')
    expect(backup.output).toContain('to s3://somewhere')
    expect(backup).toMatchObject({ code: 0, output: expect.stringContaining(box.path('var/lib/veritas/data')) })
    writeFileSync(box.path('opt/veritas/current/.env'), `${box.read('opt/veritas/current/.env')}BACKUP_EXIT_CODE=9\n`)
    expect(await box.run('backup.sh')).toMatchObject({ code: 9, output: expect.stringContaining('failed with 9') })
  })
})
