import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Overview } from '../../trpc/schema/stats.ts'
import { end, type LaunchOptions, listening, spawnServer } from '../launch.ts'

const DRAIN_TIMEOUT_MS = 180_000
const owner = { name: 'Bench', email: 'bench@veritas.local', password: 'a-long-password' }

/** The fields of /health that benchmarks read. */
export interface BenchHealth {
  ackLevel: string
  bufferSize: number
  walBytes: number
  memory: { rss: number }
  events: { received: number; stored: number; duplicate: number; deadLettered: number; imbalance: number }
}

/** The built server on loopback, with a new empty store or the one in a given folder. */
export interface BenchServer {
  url: string
  port: number
  pid: number
  child: ChildProcess
  dataDir: string
  health(): Promise<BenchHealth>
  /** Resolves once every accepted event is stored. */
  drained(): Promise<void>
  /** Number of stored events over the whole history, from GET /stats. */
  stored(): Promise<number>
  /** Stops the server. Removes its data folder unless that was given. */
  close(signal?: NodeJS.Signals): Promise<void>
}

export async function startBenchServer(options: Partial<LaunchOptions> = {}): Promise<BenchServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'veritas-bench-'))
  const env = { LOG_LEVEL: 'error', ...options.env }
  const child = spawnServer({ ...options, dataDir, args: ['--no-demo'], env })
  let cookie: string | null = null

  async function close(signal?: NodeJS.Signals): Promise<void> {
    await end(child, signal)
    if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true })
  }

  try {
    const url = await listening(child)
    return {
      url,
      port: Number(new URL(url).port),
      pid: child.pid!,
      child,
      dataDir,
      health: () => healthOf(url),
      async drained() {
        await untilDrained(url)
      },
      async stored() {
        cookie ??= await logIn(url)
        const response = await fetch(`${url}/stats`, { headers: { cookie } })
        return ((await response.json()) as Overview).allTime.events
      },
      close,
    }
  } catch (error) {
    await close('SIGKILL')
    throw error
  }
}

async function healthOf(url: string): Promise<BenchHealth> {
  return (await (await fetch(`${url}/health`)).json()) as BenchHealth
}

/** Waits until every accepted event is stored, then resolves to the server's health. */
export async function untilDrained(url: string): Promise<BenchHealth> {
  const deadline = Date.now() + DRAIN_TIMEOUT_MS
  for (;;) {
    const health = await healthOf(url)
    if (health.bufferSize === 0) return health
    if (Date.now() > deadline) throw new Error(`${health.bufferSize} events still wait after ${DRAIN_TIMEOUT_MS} ms.`)
    await sleep(100)
  }
}

/** Signs up, or signs in if the store already has the owner. */
async function logIn(url: string): Promise<string> {
  for (const way of ['sign-up', 'sign-in']) {
    const response = await fetch(`${url}/api/auth/${way}/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(owner),
    })
    if (response.ok) return response.headers.getSetCookie()[0]!.split(';')[0]!
  }
  throw new Error('Neither sign-up nor sign-in was answered with a session.')
}

/** Throws unless the store holds exactly the accepted events: speed means nothing if events are lost. */
export async function balance(server: BenchServer, accepted: number): Promise<{ accepted: number; stored: number }> {
  await server.drained()
  const stored = await server.stored()
  if (stored !== accepted) throw new Error(`Accepted ${accepted} events but stored ${stored}.`)
  return { accepted, stored }
}
