import { type ChildProcess, execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { end, listening, readOutput, spawnServer } from '../../scripts/launch.ts'
import { ensure } from '../faults/fault.ts'
import { eventually, signUpOwner } from '../shop.ts'
import { event } from './case.ts'
import { hostileCases } from './cases.ts'
import { type Honest, percentile95, startHonest } from './honest.ts'
import { judge } from './judge.ts'
import { sendRandom } from './random-cases.ts'

export interface HostileOptions {
  /** Whether posts need a key. If they do, attackers have none or a browser key. */
  keyless: 'allow' | 'refuse'
  /** Duration of the honest client's run alone, and then beside the floods. */
  aloneSeconds: number
  floodSeconds: number
  randomMs: number
  onStep?: (text: string) => void
}

export interface HostileReport {
  cases: number
  randomRequests: number
  idleConnections: number
  honestEvents: number
  /** Latency of the honest client's accepted posts, in ms: alone, and beside the floods. */
  p95AloneMs: number
  p95BesideMs: number
  /** p95 beside the floods divided by p95 alone. */
  p95Ratio: number
  idleMb: number
  peakMb: number
  /** Cases with a wrong answer; must be empty. */
  wrong: string[]
  /** Number of answers by flood and status; 0 means closed without an answer. */
  floods: Record<string, Record<string, number>>
}

const MB = 1024 * 1024
/** Number of cases to run concurrently. */
const SIDE_BY_SIDE = 64
const MOST_IDLE = 3000
/** File descriptors to leave for this process, besides connections. */
const OTHER_FILES = 500
/** Timeouts shorter than the defaults, to make the tests quick. */
const impatient = { IDLE_TIMEOUT_MS: '1000', HEADERS_TIMEOUT_MS: '2000', INGEST_BODY_TIMEOUT_MS: '2000' }

/** Attacks a built server in all listed ways beside an honest client. Throws if that client is affected. */
export async function runHostile(options: HostileOptions): Promise<HostileReport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-hostile-'))
  const child = spawnServer({
    dataDir,
    args: ['--no-demo'],
    env: { ...impatient, INGEST_KEYLESS: options.keyless, SHUTDOWN_TIMEOUT_MS: '60000' },
  })
  try {
    return await attack(options, child, dataDir)
  } finally {
    await end(child, 'SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function attack(options: HostileOptions, child: ChildProcess, dataDir: string): Promise<HostileReport> {
  const { keyless, aloneSeconds, floodSeconds, randomMs, onStep: step = () => {} } = options
  readOutput(child, () => {})
  const url = await listening(child)
  const port = Number(new URL(url).port)
  const cookie = await signUpOwner(url)
  const keysRequired = keyless === 'refuse'
  const [serverKey, browserKey] = keysRequired
    ? [await makeKey('sk', dataDir), await makeKey('pk', dataDir)]
    : [null, null]
  const memory = watchMemory(child.pid ?? 0)
  const idleMb = memory.now()
  const honest = startHonest(port, cookie, serverKey)
  const report = { cases: hostileCases.length, idleConnections: idleConnections(), idleMb, wrong: [] as string[] }

  step('the honest client is alone')
  await sleep(1000)
  honest.takeTimes()
  await sleep(aloneSeconds * 1000)
  const p95AloneMs = percentile95(honest.takeTimes())
  step(`floods for ${floodSeconds} s with ${report.idleConnections} idle connections`)
  const flooding = startFloods(port, floodSeconds, report.idleConnections, browserKey)
  await sleep(1000)
  honest.takeTimes()
  const floods = await flooding
  const p95BesideMs = percentile95(honest.takeTimes())
  step(`${report.cases} cases`)
  report.wrong.push(...(await runCases(port, keysRequired)))
  step('random requests')
  const randomRequests = await sendRandom(port, keysRequired, randomMs)
  await honest.stop()
  report.wrong.push(...honest.wrong.map((what) => `the honest client: ${what}`))
  step('what was promised is compared with what is stored')
  await assertKept(url, cookie, honest)
  await assertAsBefore(url, serverKey)
  const peakMb = memory.stop()
  ensure((await end(child)) === 0, 'the server did not end well')
  const honestEvents = honest.promised.length
  const p95Ratio = p95BesideMs / p95AloneMs
  return { ...report, randomRequests, honestEvents, p95AloneMs, p95BesideMs, p95Ratio, peakMb, floods }
}

async function runCases(port: number, keysRequired: boolean): Promise<string[]> {
  const wrong: string[] = []
  const left = [...hostileCases]
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const what = await judge(port, next, keysRequired)
        if (what) wrong.push(what)
      }
    }),
  )
  return wrong
}

async function startFloods(port: number, seconds: number, idle: number, key: string | null) {
  const script = new URL('attackers.ts', import.meta.url).pathname
  const args = ['--import', 'tsx', script, String(port), String(seconds), String(idle), key ?? '']
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: MB })
  return JSON.parse(stdout) as HostileReport['floods']
}

/** Checks that every event of a 202 is stored once, that no other is stored, and that the counters balance. */
async function assertKept(url: string, cookie: string, honest: Honest): Promise<void> {
  await eventually(async () => {
    const health = (await (await fetch(`${url}/health`)).json()) as {
      bufferSize: number
      events: Record<string, number>
    }
    ensure(health.bufferSize === 0, `${health.bufferSize} events still wait`)
    ensure(health.events.imbalance === 0 && health.events.lost === 0, `counters: ${JSON.stringify(health.events)}`)
  })
  const stored: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path = `/users/honest/journey?limit=1000${cursor && `&cursor=${cursor}`}`
    const page = (await (await fetch(url + path, { headers: { cookie } })).json()) as {
      events: { eventId: string }[]
      nextCursor: string | null
    }
    stored.push(...page.events.map(({ eventId }) => eventId))
    cursor = page.nextCursor
  }
  const ids = new Set(stored)
  ensure(ids.size === stored.length, `${stored.length - ids.size} events are stored twice`)
  const missing = honest.promised.filter((id) => !ids.has(id))
  ensure(missing.length === 0, `${missing.length} promised events are missing: ${missing.slice(0, 5)}`)
}

/** Checks that the largest posts are accepted again and that everything answers. */
async function assertAsBefore(url: string, key: string | null): Promise<void> {
  const headers: Record<string, string> = key === null ? {} : { 'x-write-key': key }
  const large = JSON.stringify(Array(120).fill({ ...event, payload: { url: `/${'x'.repeat(30_000)}` } }))
  await eventually(async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => fetch(`${url}/events`, { method: 'POST', headers, body: large })),
    )
    ensure(
      answers.every(({ status }) => status === 202),
      `large posts afterwards: ${answers.map(({ status }) => status)}`,
    )
  })
  for (const path of ['/health', '/health/live', '/health/ready', '/login', '/api-docs.json']) {
    const { status } = await fetch(url + path)
    ensure(status === 200, `${path} afterwards: ${status}`)
  }
}

async function makeKey(kind: 'pk' | 'sk', dataDir: string): Promise<string> {
  const args = ['--import', 'tsx', 'scripts/keys.ts', 'create', '--kind', kind, '--data-dir', dataDir]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout.trim()
}

/** The number of idle connections to open: up to MOST_IDLE, within this process's limit of open files. */
function idleConnections(): number {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readText('/proc/self/limits'))?.[1] ?? 1024)
  return Math.max(100, Math.min(MOST_IDLE, limit - OTHER_FILES))
}

/** Records a process's current and peak memory in MB; 0 if the system does not provide it. */
function watchMemory(pid: number) {
  const now = () => Number(/^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0) / 1024
  let peak = now()
  const timer = setInterval(() => {
    peak = Math.max(peak, now())
  }, 50)
  return {
    now,
    stop() {
      clearInterval(timer)
      return Math.max(peak, now())
    },
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
