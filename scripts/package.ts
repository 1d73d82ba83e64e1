import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { AppError } from '../server/errors.ts'
import { contentDigest, pack } from './artifact.ts'
import { command } from './open.ts'
import { buildIfStale, builtFiles } from './prepare.mjs'

const help = {
  about: `npm run package -- [options]

Makes a release: one tar.gz with the build, the packages it needs on Linux, and the commands for operators, so that a
server needs neither a registry nor a compiler. It is called by its content: the same sources make the same file.
Prints its path, its sha256 and the version that /health will tell.

Options
  --cpu x64|arm64   processor of the server (x64)
  --json            one line of JSON instead: path, sha256, version, key, bytes
  --help            this text`,
  examples: ['npm run package', 'npm run package -- --cpu arm64 --json'],
  exits: { 0: 'the release is there', 1: 'there is none: a line says why' },
} as const

const root = fileURLToPath(new URL('..', import.meta.url))
/** Commands that operators run on a server, where TypeScript is not installed. */
const operatorCommands = [
  'invite',
  'site',
  'sites',
  'setup-code',
  'accounts',
  'tokens',
  'keys',
  'dead-letters',
  'audit',
  'retention',
  'migrate',
  'mongo',
  'export',
  'backup',
  'restore',
  'store',
]

interface PackageFile {
  name: string
  version: string
  description: string
  license: string
  private: boolean
  type: string
  engines: Record<string, string>
  scripts: Record<string, string>
  dependencies: Record<string, string>
}

await command(help, async () => {
  const { values } = parseArgs({
    options: { cpu: { type: 'string', default: 'x64' }, json: { type: 'boolean', default: false } },
  })
  const { cpu } = values
  if (cpu !== 'x64' && cpu !== 'arm64') throw new AppError('invalid_input', `--cpu takes x64 or arm64, not ${cpu}.`)
  await buildFirst(values.json)
  const folder = mkdtempSync(join(tmpdir(), 'veritas-package-'))
  try {
    const version = await stage(folder, cpu)
    const artifacts = join(root, 'build', 'artifacts')
    mkdirSync(artifacts, { recursive: true })
    const packed = join(artifacts, `${process.pid}.packed`)
    const { sha256, bytes } = await pack(folder, packed)
    const file = join(artifacts, `${sha256}.tar.gz`)
    renameSync(packed, file)
    keepNewest(artifacts)
    const made = { path: relative(root, file), sha256, version, key: `releases/${sha256}.tar.gz`, bytes }
    if (values.json) console.log(JSON.stringify(made))
    else console.log(`path     ${made.path}\nsha256   ${sha256}\nversion  ${version}\nsize     ${megabytes(bytes)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Assembles a release in the folder. Resolves to its version, which includes a digest of the contents. */
async function stage(folder: string, cpu: 'x64' | 'arm64'): Promise<string> {
  // Only files of the current build: leftovers of earlier ones would change the digest.
  for (const path of builtFiles()) cpSync(join(root, 'build', path), join(folder, 'build', path))
  for (const path of ['package-lock.json', 'ecosystem.config.cjs', 'LICENSE'])
    cpSync(join(root, path), join(folder, path), { recursive: true })
  const file = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile
  const { name, version, description, license, type, engines, dependencies } = file
  const commands = operatorCommands.filter((command) => file.scripts[command] !== undefined)
  // At the same depth as in the checkout, so that relative paths still resolve.
  await buildCommands(commands, join(folder, 'scripts'))
  cpSync(productionPackages(cpu), join(folder, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => isOfUse(path, cpu),
  })
  const scripts = Object.fromEntries(commands.map((command) => [command, `node scripts/${command}.js`]))
  const of = (version: string) =>
    `${JSON.stringify({ name, version, description, license, private: true, type, engines, scripts, dependencies }, null, 2)}\n`
  const packageFile = join(folder, 'package.json')
  writeFileSync(packageFile, of(version))
  // Semver build metadata tells two releases of the same version apart.
  const exact = `${version}+${contentDigest(folder).slice(0, 12)}`
  writeFileSync(packageFile, of(exact))
  return exact
}

/** Leaves out source maps, type declarations and binaries of other systems, which are half of all packages. */
function isOfUse(path: string, cpu: string): boolean {
  if (/\.(map|d\.[cm]?ts|tsbuildinfo)$/.test(path)) return false
  const [, system] = /\/prebuilds\/([^/]+)/.exec(path) ?? []
  return system === undefined || system === `linux-${cpu}`
}

async function buildCommands(commands: readonly string[], outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries([
      ...commands.map((command) => [command, `scripts/${command}.ts`]),
      // The SQLite store looks for its worker beside the bundle.
      ['worker', 'server/store/sqlite/worker.ts'],
    ]),
    outdir,
    chunkNames: 'shared-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  })
}

/**
 * Folder with the production packages of package-lock.json for a processor. Installed separately from the checkout's
 * own, once per lock file, without running the packages' install scripts.
 */
function productionPackages(cpu: string): string {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const manifest = readFileSync(join(root, 'package.json'), 'utf8')
  const { dependencies } = JSON.parse(manifest) as PackageFile
  const digest = createHash('sha256').update(lock).update(JSON.stringify(dependencies)).digest('hex').slice(0, 16)
  const place = join(root, 'node_modules', '.cache', 'veritas', `${digest}-${cpu}`)
  const packages = join(place, 'node_modules')
  if (existsSync(packages)) return packages
  const folder = `${place}.${process.pid}`
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package-lock.json'), lock)
  writeFileSync(join(folder, 'package.json'), manifest)
  const flags = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  try {
    execFileSync('npm', ['ci', ...flags, '--os=linux', `--cpu=${cpu}`, '--libc=glibc'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    renameSync(folder, place)
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer }
    if (existsSync(packages)) return packages
    throw new AppError('unavailable', `The packages cannot be installed.\n${stderr ?? (error as Error).message}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return packages
}

/** Deletes all but the newest archives; keeps as many as a server does. */
function keepNewest(folder: string): void {
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.tar\.gz$/.test(name))
  const aged = names.map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
  for (const { name } of aged.sort((a, b) => b.at - a.at).slice(5)) rmSync(join(folder, name))
}

/** Builds; with --json its messages go to standard error. Throws AppError if the build fails. */
async function buildFirst(isQuiet: boolean): Promise<void> {
  const { log } = console
  if (isQuiet) console.log = (...words: unknown[]) => console.error(...words)
  try {
    await buildIfStale()
  } catch (error) {
    throw new AppError('unavailable', (error as Error).message, { cause: error })
  } finally {
    console.log = log
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
