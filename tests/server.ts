import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const entry = fileURLToPath(new URL('../build/server/index.js', import.meta.url))
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000

export interface ServerOptions {
  args?: readonly string[]
  /** Settings; each test server has PORT=0 and a data folder of its own. */
  env?: Record<string, string>
  /** A folder that the caller made and removes. */
  dataDir?: string
}

export interface TestServer {
  readonly url: string
  readonly dataDir: string
  readonly pid: number
  /** Everything it printed so far, the runs before a restart included. */
  output(): string
  /** Ends it and waits; resolves to its exit code, null after SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Stops it (if it runs) and starts it on the same data. The url changes. */
  restart(signal?: NodeJS.Signals): Promise<void>
}

/** How a server that was to fail at its start ended. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Servers of this test file that still run, and folders to remove after it. */
const running = new Set<ChildProcess>()
const folders: string[] = []

afterAll(async () => {
  await Promise.all([...running].map((child) => end(child, 'SIGKILL')))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Starts the built server as its own process and waits until it listens. Stopped and cleaned up after the file. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? temporaryFolder()
  let text = ''
  let started = await launch()

  async function launch(): Promise<{ child: ChildProcess; url: string }> {
    const child = run({ ...options, dataDir })
    let own = ''
    const url = await new Promise<string>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`The server ${why}:\n${own}`))
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        fail('did not listen in time')
      }, START_TIMEOUT_MS)
      const read = (part: string) => {
        own += part
        text += part
        const found = /Veritas is running at (http:\S+)/.exec(own)?.[1]
        if (found) {
          clearTimeout(timer)
          resolve(found)
        }
      }
      child.stdout?.setEncoding('utf8').on('data', read)
      child.stderr?.setEncoding('utf8').on('data', read)
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        fail(`ended before it listened (${signal ?? code})`)
      })
    })
    return { child, url }
  }

  return {
    get url() {
      return started.url
    },
    get pid() {
      return started.child.pid ?? 0
    },
    dataDir,
    output: () => text,
    stop: (signal = 'SIGTERM') => end(started.child, signal),
    async restart(signal = 'SIGTERM') {
      await end(started.child, signal)
      started = await launch()
    },
  }
}

/** Runs the server to its end, for starts that must fail; kills it once its output matches `killAt`. */
export async function runServer(options: ServerOptions & { killAt?: RegExp } = {}): Promise<Ended> {
  const child = run({ ...options, dataDir: options.dataDir ?? temporaryFolder() })
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    stdout += part
    if (options.killAt?.test(stdout)) child.kill('SIGKILL')
  })
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    stderr += part
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return { code, stdout, stderr }
}

/** A new folder, removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-test-'))
  folders.push(folder)
  return folder
}

function run({ args = [], env = {}, dataDir }: ServerOptions & { dataDir: string }): ChildProcess {
  const { PATH, HOME, TZ } = process.env
  const child = spawn(process.execPath, [entry, ...args], {
    // Neither the settings of who runs the tests nor their .env file reach a test server.
    cwd: dataDir,
    env: { PATH, HOME, TZ, NODE_ENV: 'production', PORT: '0', DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  const code = await closed
  clearTimeout(timer)
  return code
}
