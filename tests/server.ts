import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { end, type LaunchOptions, listening, readOutput, spawnServer } from '../scripts/launch.ts'

const RUN_TIMEOUT_MS = 120_000
/** A long shutdown timeout, so that a busy machine also stores all waiting events at the end. */
const unhurried = { SHUTDOWN_TIMEOUT_MS: '60000' }

/** Without a data folder, a server gets a new one that is removed after the test file. */
export type ServerOptions = Partial<LaunchOptions>

export interface TestServer {
  readonly url: string
  readonly dataDir: string
  readonly pid: number
  /** Everything it has printed, including before a restart. */
  output(): string
  /** Its log lines above level "info" and all of its stderr; nightly jobs log below that level. */
  problems(): string[]
  /** Stops it. Resolves to its exit code; null after SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Stops it (if running) and starts it on the same data. The url changes. */
  restart(signal?: NodeJS.Signals): Promise<void>
}

/** How a server ended that was expected to fail at startup. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Running servers of this test file, and folders to remove after it. */
const running = new Set<ChildProcess>()
const folders: string[] = []

afterAll(async () => {
  await Promise.all([...running].map((child) => end(child, 'SIGKILL')))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Starts the built server as a process and waits until it listens. Stopped and cleaned up after the test file. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? temporaryFolder()
  let output = ''
  let complaints = ''
  const launch = async () => {
    const child = run({ ...options, dataDir })
    readOutput(child, (text, stream) => {
      output += text
      if (stream === 'stderr') complaints += text
    })
    return { child, url: await listening(child) }
  }
  let started = await launch()

  return {
    get url() {
      return started.url
    },
    get pid() {
      return started.child.pid ?? 0
    },
    dataDir,
    output: () => output,
    problems: () => [...(output.match(/.*"level":[456]0.*/g) ?? []), ...(complaints.match(/.+/g) ?? [])],
    stop: (signal) => end(started.child, signal),
    async restart(signal) {
      await end(started.child, signal)
      started = await launch()
    },
  }
}

/** Runs the server until it exits, for starts that must fail. Kills it once its output matches `killAt`. */
export async function runServer(options: ServerOptions & { killAt?: RegExp } = {}): Promise<Ended> {
  const child = run({ ...options, dataDir: options.dataDir ?? temporaryFolder() })
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS)
  const printed = { stdout: '', stderr: '' }
  readOutput(child, (text, stream) => {
    printed[stream] += text
    if (options.killAt?.test(printed.stdout)) child.kill('SIGKILL')
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return { code, ...printed }
}

/** Creates a folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-test-'))
  folders.push(folder)
  return folder
}

function run(options: LaunchOptions): ChildProcess {
  const child = spawnServer({ ...options, env: { ...unhurried, ...options.env } })
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}
