import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const builtEntry = fileURLToPath(new URL('../build/server/index.js', import.meta.url))
/** Wide: what hangs is found all the same, and a machine may be busy. */
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 120_000

export interface LaunchOptions {
  dataDir: string
  args?: readonly string[]
  /** Settings; unless given, PORT is 0 and METRICS_PORT is off. */
  env?: Record<string, string>
  /** The server's file, if not that of this checkout's build. */
  entry?: string
  /** The Node that runs it, if not this one. */
  node?: string
}

/** Starts the built server as a process of its own, whose output is piped. */
export function spawnServer({
  args = [],
  env = {},
  dataDir,
  entry = builtEntry,
  node = process.execPath,
}: LaunchOptions): ChildProcess {
  const { PATH, HOME, TZ } = process.env
  return spawn(node, [entry, ...args], {
    // Neither the settings of whoever runs this nor their .env file reach the server.
    cwd: dataDir,
    env: { PATH, HOME, TZ, NODE_ENV: 'production', PORT: '0', METRICS_PORT: 'off', DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Hands on what a process prints, as text, from both of its streams. */
export function readOutput(child: ChildProcess, onText: (text: string, stream: 'stdout' | 'stderr') => void): void {
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => onText(text, stream))
}

/** Resolves to the address a starting server prints; rejects with all it printed when it ends or takes too long. */
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

/** Ends a process and waits for it: by the signal, or by force when that takes too long. Resolves to its exit code. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  const code = await closed
  clearTimeout(timer)
  return code
}
