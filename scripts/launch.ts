import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const builtEntry = fileURLToPath(new URL('../build/server/index.js', import.meta.url))
/** Generous, for busy machines: a process that hangs is still detected. */
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 120_000

export interface LaunchOptions {
  dataDir: string
  args?: readonly string[]
  /** Environment variables; PORT defaults to 0 and METRICS_PORT to off. */
  env?: Record<string, string>
  /** Path of the server's script; defaults to the build of this checkout. */
  entry?: string
  /** Path of the Node binary; defaults to the current one. */
  node?: string
}

/** Starts the built server as a child process with piped output. */
export function spawnServer({
  args = [],
  env = {},
  dataDir,
  entry = builtEntry,
  node = process.execPath,
}: LaunchOptions): ChildProcess {
  const { PATH, HOME, TZ } = process.env
  return spawn(node, [entry, ...args], {
    // Keeps the caller's environment and .env file away from the server.
    cwd: dataDir,
    env: { PATH, HOME, TZ, NODE_ENV: 'production', PORT: '0', METRICS_PORT: 'off', DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Calls `onText` with everything that a process prints, as text. */
export function readOutput(child: ChildProcess, onText: (text: string, stream: 'stdout' | 'stderr') => void): void {
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => onText(text, stream))
}

/** Resolves to the address that a starting server prints. Rejects with its output if it exits or takes too long. */
export function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new Error(`The server ${why}:\n${output}`))
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail('did not listen in time')
    }, START_TIMEOUT_MS)
    readOutput(child, (text) => {
      output += text
      const url = /Veritas is running at (http:\S+)/.exec(output)?.[1]
      if (!url) return
      clearTimeout(timer)
      resolve(url)
    })
    child.once('close', (code, signal) => fail(`ended before it listened (${signal ?? code})`))
  })
}

/** Stops a process with a signal, or kills it after a timeout, and waits. Resolves to its exit code. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  const code = await closed
  clearTimeout(timer)
  return code
}
