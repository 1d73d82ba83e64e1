import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { end, type LaunchOptions, listening, readOutput, spawnServer } from '../../scripts/launch.ts'
import { freePort } from '../free-port.ts'
import { eventually } from '../shop.ts'

export interface ShopProcess {
  readonly port: number
  readonly url: string
  /** 0 while the process is not running. */
  readonly pid: number
  readonly dataDir: string
  /** The last part of its output, across restarts. */
  output(): string
  /** Starts the process and resolves when it listens. */
  start(): Promise<void>
  /** Starts the process without waiting. */
  launch(): void
  /** Stops the process. Resolves to its exit code; null after SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

const MAX_OUTPUT = 200_000

/** The built server as a process that can be restarted on the same port and data. */
export async function createShopProcess(
  dataDir: string,
  env: Record<string, string> = {},
  port?: number,
): Promise<ShopProcess> {
  const own = port ?? (await freePort())
  const options: LaunchOptions = {
    dataDir,
    args: ['--no-demo'],
    env: { PORT: String(own), SITE_TIME_ZONE: 'UTC', LOG_LEVEL: 'warn', ...env },
  }
  let child: ChildProcess | null = null
  let output = ''
  const launch = () => {
    const started = spawnServer(options)
    child = started
    readOutput(started, (text) => {
      output = (output + text).slice(-MAX_OUTPUT)
    })
    started.once('close', () => {
      if (child === started) child = null
    })
    return started
  }
  return {
    port: own,
    url: `http://127.0.0.1:${own}`,
    dataDir,
    get pid() {
      return child?.pid ?? 0
    },
    output: () => output,
    launch: () => void launch(),
    async start() {
      await listening(launch())
    },
    stop: async (signal) => (child ? end(child, signal) : null),
  }
}

export interface Health {
  status: string
  walBytes: number
  /** Number of times that a batch had to be retried. */
  flushFailures: number
  memory: { rss: number; heapUsed: number }
  events: {
    received: number
    recovered: number
    rejected: number
    stored: number
    duplicate: number
    deadLettered: number
    waiting: number
    lost: number
    imbalance: number
  }
}

export async function health(url: string): Promise<Health> {
  const response = await fetch(`${url}/health`)
  return (await response.json()) as Health
}

/** Waits until at least so many events wait in the server's log; resolves to how many do. A busy machine takes its time. */
export async function waiting(url: string, least = 1): Promise<number> {
  let events = 0
  await eventually(async () => {
    events = (await health(url)).events.waiting
    if (events < least) throw new Error(`${events} events wait in the log, fewer than ${least}`)
  })
  return events
}

/** Waits until the server's log is empty. Throws on a timeout, or if its counters do not balance. */
export async function settled(url: string, timeoutMs = 180_000): Promise<Health> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const state = await health(url)
    if (state.events.waiting === 0) {
      const { imbalance, lost } = state.events
      if (imbalance !== 0 || lost !== 0) throw new Error(`the counters are wrong: ${JSON.stringify(state.events)}`)
      return state
    }
    if (Date.now() > deadline) throw new Error(`${state.events.waiting} events still wait after ${timeoutMs} ms`)
    await sleep(50)
  }
}
