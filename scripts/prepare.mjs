import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithReader, helpText } from './terminal.mjs'

/**
 * Prerequisites of every command: a recent Node, the packages of package-lock.json and a build of the current sources.
 * Plain JavaScript without dependencies, since it runs before the packages are installed.
 */

export const root = fileURLToPath(new URL('..', import.meta.url))
const buildDir = join(root, 'build')
const stampFile = join(buildDir, '.stamp')
const lockFile = join(buildDir, '.building')
const sources = [
  'app',
  'public',
  'server',
  'trpc',
  'package-lock.json',
  'scripts/build.mjs',
  'tsconfig.json',
  'vite.config.ts',
]
const entries = ['app/server/index.js', 'server/index.js', 'server/large-thread.js', 'server/worker.js']
const outputs = ['.files', 'app/client', ...entries]
const MIN_NODE = [20, 19, 0]

/** Ends the process with one line if this Node is too old. */
export function requireNode(version = process.versions.node) {
  const parts = version.split('.').map(Number)
  const older = MIN_NODE.map((min, i) => parts[i] - min).find((difference) => difference !== 0) < 0
  if (!older) return
  console.error(`Veritas needs Node ${MIN_NODE.join('.')} or newer; this is Node ${version}. See https://nodejs.org.`)
  process.exit(1)
}

/** Installs the packages if node_modules does not match package-lock.json. */
export async function install() {
  if (isInstalled()) return
  await step('Installing packages', ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund'])
}

/** Ends the process with one line if node_modules does not match package-lock.json. */
export function assertInstalled() {
  if (isInstalled()) return
  console.error(
    'The packages are not installed, or not those of this version. Run npm ci (npm start does it by itself).',
  )
  process.exit(1)
}

/** Builds pages and server if build/ is missing or out of date. */
export async function buildIfStale() {
  if (isBuilt()) return
  await build()
}

/**
 * Builds in a separate folder, so that a server running from build/ is not disturbed; one process at a time. Writes the
 * stamp last, so that an interrupted build does not count.
 */
export async function build() {
  mkdirSync(buildDir, { recursive: true })
  await whileAlone(async () => {
    const stamp = sourceStamp()
    const next = join(buildDir, '.next')
    rmSync(next, { recursive: true, force: true })
    await step('Building the pages', [process.execPath, 'node_modules/@remix-run/dev/dist/cli.js', 'vite:build'], {
      NODE_ENV: 'production',
      VERITAS_BUILD_DIR: 'build/.next/app',
    })
    await step('Building the server', [process.execPath, 'scripts/build.mjs', '--server-only'], {
      VERITAS_BUILD_DIR: 'build/.next/server',
    })
    rmSync(stampFile, { force: true })
    putInPlace(next, buildDir)
    writeFileSync(stampFile, stamp)
  })
}

/**
 * Moves a new build into place with one rename per file. Files named by their content hash go first, so that the entry
 * files always find what they import. Files of the previous build stay for processes that have not loaded all of them
 * and for pages still open in browsers. Tests check the folder around each `rename`.
 */
export function putInPlace(next, place, rename = renameSync) {
  const files = ['app', 'server'].flatMap((part) => filesOf(next, part))
  const isEntry = (path) => entries.includes(path)
  for (const path of [...files.filter((path) => !isEntry(path)), ...files.filter(isEntry)]) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    rename(join(next, path), join(place, path))
  }
  const list = join(place, '.files')
  const before = existsSync(list)
    ? readIfThere(list).split('\n')
    : ['app', 'server'].flatMap((part) => filesOf(place, part))
  const kept = new Set([...files, ...before])
  for (const path of ['app', 'server'].flatMap((part) => filesOf(place, part)))
    if (!kept.has(path)) rmSync(join(place, path))
  writeFileSync(list, files.join('\n'))
  rmSync(next, { recursive: true, force: true })
}

/** Paths of the current build's files (below build/), without those kept from the previous build. */
export function builtFiles(place = buildDir) {
  return readIfThere(join(place, '.files'))
    .split('\n')
    .filter((path) => path !== '')
}

/** Compares the list that npm writes of what it installed with the lock file; more reliable than a stamp of our own. */
function isInstalled() {
  const installedFile = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installedFile)) return false
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  )
}

function isBuilt() {
  if (!existsSync(stampFile) || outputs.some((path) => !existsSync(join(buildDir, path)))) return false
  return readFileSync(stampFile, 'utf8') === sourceStamp()
}

/** A hash of the names and contents of all files that the build reads, without tests. */
export function sourceStamp(from = root) {
  const hash = createHash('sha256')
  for (const source of sources) {
    for (const path of filesOf(from, source)) {
      hash.update(`${path}\0`)
      hash.update(readFileSync(join(from, path)))
    }
  }
  return hash.digest('hex')
}

function filesOf(from, path) {
  const place = join(from, path)
  if (!existsSync(place)) return []
  if (statSync(place).isFile()) return [path]
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(join(from, '/').length))
    .sort()
}

/** Runs `work` once no other process is building. Ignores the lock of a process that has ended. */
async function whileAlone(work) {
  let told = false
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (!isAlive(Number(readIfThere(lockFile)))) rmSync(lockFile, { force: true })
    else if (!told) console.log('Waiting for a build that another process has under way …')
    told = true
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  try {
    await work()
  } finally {
    rmSync(lockFile, { force: true })
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function isAlive(pid) {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** A failed step. The message holds all output of its command. */
export class StepFailed extends Error {}

/** Runs a command quietly: prints one line with its duration, or throws StepFailed. */
export async function step(title, [command, ...args], environment = {}) {
  const started = Date.now()
  if (process.stdout.isTTY) process.stdout.write(`${title} …`)
  const { code, output } = await run(command, args, environment)
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  if (code !== 0)
    throw new StepFailed(`${title}: failed after ${seconds} s (${[command, ...args].join(' ')})\n\n${output}`)
  console.log(`${title}: done in ${seconds} s`)
}

/**
 * Ends this process when its parent ends. npm runs scripts in a shell, and a signal to npm only ends that shell; the
 * server would keep running in the background.
 */
export function endWithParent() {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 500)
  watch.unref()
}

/**
 * Runs a script, or prints its help. A failed step ends the process with the step's output, without a stack trace. The
 * process also ends if its output is no longer read, unless `outlivesReader` is set, as for a server.
 */
export async function main(help, work, { outlivesReader = false } = {}) {
  if (outlivesReader) for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  else endWithReader()
  if (process.argv.includes('--help')) {
    console.log(helpText(help))
    return
  }
  try {
    await work()
  } catch (error) {
    console.error(error instanceof StepFailed ? error.message : error)
    process.exit(1)
  }
}

/** Runs a command to its end. Resolves to its exit code and output. */
export function run(command, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // On Windows npm is a script, which only a shell can start.
      shell: process.platform === 'win32' && command === 'npm',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? 1, signal, output }))
  })
}
