import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuOf } from '../infra/settings.ts'
import { AppError } from '../server/errors.ts'
import { stageEnvironment } from './infra/stage-environment.ts'
import { end, listening, spawnServer } from './launch.ts'
import { command } from './open.ts'

const help = {
  about: `npm run release -- --stage STAGE [options]
npm run release -- --dry-run [options]

Makes a release (npm run package), starts it here from nothing but its file until /health tells its version, and hands
it to sst deploy, which puts it on the stage's server: there it is checked once more, switched to without a lost request,
and taken back if it does not answer (infra/box/README.md).

Options
  --stage STAGE     which installation: small letters, digits and dashes
  --dry-run         all but the last step: nothing leaves this machine
  --cpu x64|arm64   processor of the server (that of the stage's VERITAS_INSTANCE_TYPE); one of another kind than this
                    machine's cannot be started here
  --help            this text`,
  examples: ['npm run release -- --dry-run', 'npm run release -- --stage prod'],
  exits: { 0: 'it serves, or was made with --dry-run', 1: 'it was not put in place: a line says why' },
} as const

const root = fileURLToPath(new URL('..', import.meta.url))

/** How long the server may take to report "ok" after it starts listening. */
const HEALTH_MS = 10_000

interface Made {
  path: string
  sha256: string
  version: string
  key: string
  bytes: number
}

await command(help, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      cpu: { type: 'string' },
    },
  })
  const { stage } = values
  const isDry = values['dry-run']
  if (stage === undefined && !isDry)
    throw new AppError('invalid_input', '--stage: name the installation, such as --stage prod, or try --dry-run.')
  if (stage !== undefined && !/^[a-z][a-z0-9-]{0,31}$/.test(stage))
    throw new AppError('invalid_input', `--stage ${stage}: small letters, digits and dashes.`)
  if (stage === 'local') throw new AppError('invalid_input', '--stage local is npm start on your own machine.')
  const own = cpuOf(stageEnvironment(root, stage, process.env))
  const cpu = values.cpu ?? own
  if (stage !== undefined && cpu !== own)
    throw new AppError('invalid_input', `--cpu ${cpu}: the server of ${stage} is ${own} by its VERITAS_INSTANCE_TYPE.`)
  const made = packageFor(cpu)
  console.log(`Made ${made.version}: ${made.path}, sha256 ${made.sha256}`)
  if (process.platform === 'linux' && process.arch === cpu) {
    await rehearse(made)
    console.log('Started it from that file alone: /health tells its version.')
  } else console.log(`Not started here: it is for Linux on ${cpu}.`)
  const deploy = ['sst', 'deploy', '--stage', stage ?? 'STAGE']
  if (isDry) {
    console.log(`Dry run: nothing was sent. It would go out as ${made.key} with npx ${deploy.join(' ')}`)
    return
  }
  const code = await run('npx', deploy, made)
  if (code !== 0)
    throw new AppError(
      'unavailable',
      `sst deploy ended with ${code}: ${made.version} may not be in place. Its output above says what serves.`,
    )
  console.log(`${made.version} serves on ${stage}.`)
})

function packageFor(cpu: string): Made {
  try {
    const printed = execFileSync(
      process.execPath,
      ['--import', 'tsx', 'scripts/package.ts', '--json', '--cpu', cpu],
      // Show the build's messages, which go to standard error.
      { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    )
    return JSON.parse(printed) as Made
  } catch (error) {
    throw new AppError('unavailable', 'No release was made; the reason stands above.', { cause: error })
  }
}

/** Starts the packaged release once, so that a missing file is found before deployment. Throws AppError. */
async function rehearse({ path, version }: Made): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-release-'))
  try {
    const [release, dataDir] = [join(folder, 'release'), join(folder, 'data')]
    for (const place of [release, dataDir]) mkdirSync(place)
    execFileSync('tar', ['-xzf', join(root, path), '-C', release])
    const entry = join(release, 'build', 'server', 'index.js')
    if (!existsSync(entry)) throw new AppError('unavailable', `${path} holds no build/server/index.js.`)
    const server = spawnServer({ dataDir, entry, env: { DEMO: 'false', LOG_LEVEL: 'warn' } })
    try {
      const url = await listening(server).catch((error: Error) => {
        throw new AppError('unavailable', `The release does not start. ${error.message}`)
      })
      // On a busy machine a server may report "degraded" right after its start.
      const until = performance.now() + HEALTH_MS
      let health = await healthOf(url)
      while (health.version === version && health.status !== 'ok' && performance.now() < until) {
        await sleep(200)
        health = await healthOf(url)
      }
      if (health.version !== version || health.status !== 'ok')
        throw new AppError('unavailable', `/health tells "${health.version}" and ${health.status}, not "${version}".`)
    } finally {
      await end(server)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function healthOf(url: string): Promise<{ status: string; version: string }> {
  return (await (await fetch(`${url}/health`)).json()) as { status: string; version: string }
}

/** Runs a program with the release in its environment, where infra/ reads it. Resolves to the exit code. */
function run(program: string, args: string[], made: Made): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      VERITAS_ARTIFACT: join(root, made.path),
      VERITAS_ARTIFACT_SHA256: made.sha256,
      VERITAS_VERSION: made.version,
    }
    const child = spawn(program, args, { cwd: root, env, stdio: 'inherit' })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}
