import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
/** SST's own code and providers, installed by `sst install`. Not in Git. */
export const platform = join(root, '.sst/platform')

const INSTALL_TIMEOUT_MS = 240_000
const REGISTRY_TIMEOUT_MS = 20_000

/** The environment without settings and credentials of real deployments, which programs run here must not see. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(VERITAS_|SST_SECRET_|AWS_)/.test(name)),
  ) as NodeJS.ProcessEnv
}

export interface Ended {
  code: number
  output: string
}

/** Runs a program from node_modules to its end. Collects its output without showing it. */
export function run(args: readonly string[], timeoutMs: number, extra: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...withoutSettings(process.env), ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that a timeout also kills the processes it started.
      detached: process.platform !== 'win32',
    })
    let output = ''
    const take = (data: Buffer) => (output += data)
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const timer = setTimeout(() => {
      output += `\nIt did not end within ${timeoutMs / 1000} s.`
      if (process.platform === 'win32') child.kill('SIGKILL')
      else process.kill(-child.pid!, 'SIGKILL')
    }, timeoutMs)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? 1, output })
    })
  })
}

/**
 * Makes sure that SST's platform is installed in the version of package.json. Resolves to null, or to the reason if it
 * cannot be installed because the package registry is unreachable. Throws SST's output if it fails otherwise.
 */
export async function ensurePlatform(): Promise<string | null> {
  if (isInstalled()) return null
  console.log('Installing the platform of SST (once; about a minute) …')
  const { code, output } = await run(
    ['node_modules/sst/bin/sst.mjs', 'install', '--stage', 'check'],
    INSTALL_TIMEOUT_MS,
    { SST_SKIP_DEPENDENCY_CHECK: '1', SST_NO_BUN: '1', SST_TELEMETRY_DISABLED: '1' },
  )
  if (code === 0 && isInstalled()) return null
  if (!(await isRegistryThere())) return 'the package registry cannot be reached, and the platform of SST is not there'
  throw new Error(`sst install ended with ${code}:\n${output.trim()}`)
}

function isInstalled(): boolean {
  const versionOf = (file: string) =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined
  const file = join(platform, 'version')
  const version = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  const theirs = join(platform, 'node_modules/@pulumi/aws/package.json')
  return (
    version === versionOf(join(root, 'node_modules/sst/package.json')) &&
    versionOf(theirs) === versionOf(join(root, 'node_modules/@pulumi/aws/package.json'))
  )
}

async function isRegistryThere(): Promise<boolean> {
  try {
    const registry = execFileSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8' }).trim()
    const url = new URL('@pulumi%2faws', registry.endsWith('/') ? registry : `${registry}/`)
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(REGISTRY_TIMEOUT_MS) })
    return true
  } catch {
    return false
  }
}
