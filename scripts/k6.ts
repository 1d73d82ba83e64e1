import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const beside = join(dirname(fileURLToPath(import.meta.url)), '../../shared/bin/k6')

/** Path of k6: from PATH, or the one in ../shared/bin; null if there is none. */
export function findK6(): string | null {
  if (spawnSync('k6', ['version'], { stdio: 'ignore' }).status === 0) return 'k6'
  return existsSync(beside) ? beside : null
}

/** Runs a k6 script with settings in __ENV. Resolves to its exit code and output. */
export function runK6(
  k6: string,
  script: string,
  settings: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...settings, K6_NO_USAGE_REPORT: 'true' }
    const child = spawn(k6, ['run', '--quiet', '--no-color', '--log-format', 'raw', script], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const parts: string[] = []
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => parts.push(text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: parts.join('') }))
  })
}
