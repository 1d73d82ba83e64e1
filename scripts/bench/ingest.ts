import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Overview } from '../../trpc/schema/stats.ts'
import { end, listening, spawnServer } from '../launch.ts'
import { cpuOf, machine, median, printTable } from './machine.ts'

const CONNECTIONS = 64
const REPEATS = 3
/** A whole window waits in the log, so that admission never refuses and the door alone is measured. */
const BUFFER_EVENTS = 10_000_000
const DRAIN_TIMEOUT_MS = 120_000

interface Target {
  name: string
  port: number
  pid: number
}

/** One window: what was answered, and what it cost per request in microseconds of CPU. */
interface Window {
  requestsPerSecond: number
  /** Of the event loop's thread: the door itself. */
  loopUs: number
  /** Of all threads: with the store writing the events meanwhile. */
  processUs: number
  accepted: number
  refused: number
  failed: number
  /** Share of one core that the load generator used: near 1 it, not the server, sets the pace. */
  generatorShare: number
}

export interface Row {
  target: string
  eventsPerPost: number
  /** Medians over the repeats, each repeat giving its best window. */
  requestsPerSecond: number
  eventsPerSecond: number
  loopUs: number
  processUs: number
  generatorShare: number
  repeats: Window[]
}

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Ingest beside bare node:http, in alternating windows of one run. Throws when the store lacks or adds an event. */
export async function benchIngest({ quick }: { quick: boolean }) {
  const windowMs = quick ? 500 : 2000
  const windows = quick ? 1 : 3
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-bench-'))
  const children: ChildProcess[] = []
  try {
    const load = fork(script('load.mjs'))
    const bare = fork(script('bare-server.mjs'))
    const env = { INGEST_BUFFER_EVENTS: String(BUFFER_EVENTS), LOG_LEVEL: 'error' }
    const server = spawnServer({ dataDir, args: ['--no-demo'], env })
    children.push(load, bare, server)
    const [{ port: barePort }, url] = await Promise.all([answer<{ port: number }>(bare), listening(server)])
    const cookie = await signUp(url)
    const targets: Target[] = [
      { name: 'node:http', port: barePort, pid: bare.pid! },
      { name: 'Veritas', port: Number(new URL(url).port), pid: server.pid! },
    ]
    const { ackLevel } = (await (await fetch(`${url}/health`)).json()) as { ackLevel: string }

    // Warm: the first requests run code that is not compiled yet.
    let accepted = 0
    const measure = async (target: Target, eventsPerPost: number, ms: number) => {
      const window = await runWindow(load, target, eventsPerPost, ms)
      if (window.failed > 0) throw new Error(`${target.name}: ${window.failed} requests failed.`)
      if (target.name === 'Veritas') {
        accepted += window.accepted
        await drained(url)
      }
      return window
    }
    const sizes = [1, 100]
    for (const target of targets) for (const size of sizes) await measure(target, size, windowMs)

    const found = new Map<string, Window[]>()
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const best = new Map<string, Window>()
      for (let window = 0; window < windows; window++)
        for (const eventsPerPost of sizes)
          for (const target of targets) {
            const key = `${target.name} ${eventsPerPost}`
            const now = await measure(target, eventsPerPost, windowMs)
            const before = best.get(key)
            if (!before || now.loopUs < before.loopUs) best.set(key, now)
          }
      for (const [key, window] of best) found.set(key, [...(found.get(key) ?? []), window])
      console.log(`repeat ${repeat + 1} of ${REPEATS}: done`)
    }

    const rows = sizes.flatMap((size) => targets.map(({ name }) => row(name, size, found.get(`${name} ${size}`)!)))
    print(rows, ackLevel)
    const stored = await storedEvents(url, cookie)
    console.log(`\nAccepted ${accepted} events, stored ${stored}.`)
    if (stored !== accepted) throw new Error(`Accepted ${accepted} events but stored ${stored}.`)
    return {
      measuredAt: new Date().toISOString(),
      machine: machine(),
      ackLevel,
      connections: CONNECTIONS,
      windowMs,
      rows,
      accepted,
      stored,
    }
  } finally {
    await Promise.all(children.map((child) => end(child)))
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function runWindow(load: ChildProcess, target: Target, eventsPerPost: number, windowMs: number): Promise<Window> {
  const before = cpuOf(target.pid)
  const order = { port: target.port, connections: CONNECTIONS, eventsPerPost, windowMs, run: 'bench' }
  load.send(order)
  const counts = await answer<
    Omit<Window, 'requestsPerSecond'> & { requests: number; elapsedMs: number; cpuUs: number }
  >(load)
  const after = cpuOf(target.pid)
  const { requests, elapsedMs, cpuUs, accepted, refused, failed } = counts
  return {
    requestsPerSecond: (requests / elapsedMs) * 1000,
    loopUs: (after.loop - before.loop) / requests,
    processUs: (after.process - before.process) / requests,
    accepted,
    refused,
    failed,
    generatorShare: cpuUs / 1000 / elapsedMs,
  }
}

function row(target: string, eventsPerPost: number, repeats: Window[]): Row {
  const of = (pick: (window: Window) => number) => median(repeats.map(pick))
  const requestsPerSecond = of((window) => window.requestsPerSecond)
  return {
    target,
    eventsPerPost,
    requestsPerSecond,
    eventsPerSecond: requestsPerSecond * eventsPerPost,
    loopUs: of((window) => window.loopUs),
    processUs: of((window) => window.processUs),
    generatorShare: of((window) => window.generatorShare),
    repeats,
  }
}

function print(rows: readonly Row[], ackLevel: string): void {
  const whole = (value: number) => Math.round(value).toLocaleString('en')
  const range = (row: Row) => {
    const all = row.repeats.map((window) => window.loopUs)
    return `${Math.min(...all).toFixed(1)}–${Math.max(...all).toFixed(1)}`
  }
  console.log(`\n${CONNECTIONS} connections, ack=${ackLevel}; CPU in µs per request\n`)
  printTable(
    [
      'post',
      'target',
      'requests/s',
      'events/s',
      'loop CPU',
      'of repeats',
      'x node:http',
      'all CPU',
      'refused',
      'generator',
    ],
    rows.map((row) => {
      const bare = rows.find((other) => other.target === 'node:http' && other.eventsPerPost === row.eventsPerPost)!
      return [
        row.eventsPerPost === 1 ? '1 event' : `${row.eventsPerPost} events`,
        row.target,
        whole(row.requestsPerSecond),
        row.target === 'Veritas' ? whole(row.eventsPerSecond) : '',
        row.loopUs.toFixed(1),
        range(row),
        (row.loopUs / bare.loopUs).toFixed(2),
        row.processUs.toFixed(1),
        String(row.repeats.reduce((sum, window) => sum + window.refused, 0)),
        `${Math.round(row.generatorShare * 100)} %`,
      ]
    }),
  )
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null) => reject(new Error(`${child.spawnargs[1]} ended (${code})`))
    child.once('exit', failed)
    child.once('message', (message) => {
      child.off('exit', failed)
      resolve(message as T)
    })
  })
}

async function drained(url: string): Promise<void> {
  const deadline = Date.now() + DRAIN_TIMEOUT_MS
  for (;;) {
    const { bufferSize } = (await (await fetch(`${url}/health`)).json()) as { bufferSize: number }
    if (bufferSize === 0) return
    if (Date.now() > deadline) throw new Error(`${bufferSize} events still wait after ${DRAIN_TIMEOUT_MS} ms.`)
    await sleep(50)
  }
}

async function signUp(url: string): Promise<string> {
  const response = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Bench', email: 'bench@veritas.local', password: 'a-long-password' }),
  })
  if (!response.ok) throw new Error(`sign-up answered ${response.status}`)
  return response.headers.getSetCookie()[0]!.split(';')[0]!
}

async function storedEvents(url: string, cookie: string): Promise<number> {
  const response = await fetch(`${url}/stats`, { headers: { cookie } })
  return ((await response.json()) as Overview).allTime.events
}
