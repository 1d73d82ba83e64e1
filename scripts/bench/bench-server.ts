import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Overview } from '../../trpc/schema/stats.ts'
import { end, type LaunchOptions, listening, spawnServer } from '../launch.ts'

const DRAIN_TIMEOUT_MS = 180_000
const owner = { name: 'Bench', email: 'bench@veritas.local', password: 'a-long-password' }

/** The part of /health that benches read. */
export interface BenchHealth {
  ackLevel: string
  bufferSize: number
  walBytes: number
  memory: { rss: number }
  events: { received: number; stored: number; duplicate: number; deadLettered: number; imbalance: number }
}

/** The built server on loopback with an empty store of its own, or the one in a given folder. */
export interface BenchServer {
  url: string
  port: number
  pid: number
  child: ChildProcess
  dataDir: string
  health(): Promise<BenchHealth>
  /** Resolves once everything accepted is stored. */
  drained(): Promise<void>
  /** Events of the whole history as GET /stats tells them. */
  stored(): Promise<number>
  /** Ends it and, unless the folder was given, removes its data. */
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

/** Resolves to the health of a server once everything accepted is stored. */
export async function untilDrained(url: string): Promise<BenchHealth> {
  const deadline = Date.now() + DRAIN_TIMEOUT_MS
  for (;;) {
    const health = await healthOf(url)
    if (health.bufferSize === 0) return health
    if (Date.now() > deadline) throw new Error(`${health.bufferSize} events still wait after ${DRAIN_TIMEOUT_MS} ms.`)
    await sleep(100)
  }
}

/** Signs up, or in where the store knows the owner from before. */
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

/** Throws unless the store holds exactly what was accepted: a figure of a server that loses events says nothing. */
export async function balance(server: BenchServer, accepted: number): Promise<{ accepted: number; stored: number }> {
  await server.drained()
  const stored = await server.stored()
  if (stored !== accepted) throw new Error(`Accepted ${accepted} events but stored ${stored}.`)
  return { accepted, stored }
}
