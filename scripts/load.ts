import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { type BenchHealth, type BenchServer, startBenchServer, untilDrained } from './bench/bench-server.ts'
import { findK6, runK6 } from './k6.ts'
import { command } from './open.ts'

const help = `npm run load -- [options]

The first Veritas' claim, with k6: 10,000 events a second for 30 seconds, 95 % of the answers within 50 ms and no
request failed; afterwards as many events must be stored as were accepted. Starts a server of its own with an empty
store, unless an address is given. Needs k6 in the PATH or in ../shared/bin (https://k6.io).

Options
  --profile claim|smoke   smoke: 500 events a second for 5 seconds (default: claim)
  --rate N                events a second
  --seconds N             for how long
  --batch N               events in a request (default: 10, since k6 shares the machine; 1 is the claim to the letter)
  --kill                  kill -9 the server in the middle and start it again: every event that was accepted must be
                          there once. Requests without an answer are counted apart: nobody knows of them.
  --url URL               a running server, which must take events without a key and be otherwise idle
  --help                  this text

The exit code is 1 when a threshold was missed or an event is missing, stored twice, or was never sent.`

const profiles = { claim: { rate: 10_000, seconds: 30 }, smoke: { rate: 500, seconds: 5 } } as const
const script = fileURLToPath(new URL('../tests/load/claim.js', import.meta.url))
const MAX_CLIENTS = 400

interface Summary {
  requests: number
  requestsPerSecond: number
  unsent: number
  accepted: number
  refused: number
  unanswered: number
  durationMs: Record<'med' | 'p(95)' | 'p(99)' | 'max', number>
  missed: string[]
}

await command(help, async () => {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string', default: 'claim' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      batch: { type: 'string', default: '10' },
      kill: { type: 'boolean', default: false },
      url: { type: 'string' },
    },
  })
  const profile = values.profile
  if (profile !== 'claim' && profile !== 'smoke')
    throw new AppError('invalid_input', `--profile takes claim or smoke, not ${profile}.`)
  if (values.kill && values.url !== undefined)
    throw new AppError('invalid_input', '--kill is for a server that this command starts: leave out --url.')
  const k6 = findK6()
  if (!k6)
    throw new AppError('unavailable', 'There is no k6 in the PATH or in ../shared/bin. Install it: https://k6.io')
  const rate = whole('rate', values.rate, profiles[profile].rate)
  const seconds = whole('seconds', values.seconds, profiles[profile].seconds)
  const batch = whole('batch', values.batch, 10)
  const folder = mkdtempSync(join(tmpdir(), 'veritas-load-'))
  try {
    const load = { k6, rate, seconds, batch, folder, run: `load-${Date.now().toString(36)}` }
    const ok = values.kill
      ? await loadAndKill(load)
      : values.url !== undefined
        ? await loadAndCount(load, values.url)
        : await loadOwnServer(load)
    if (!ok) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

interface Load {
  k6: string
  rate: number
  seconds: number
  batch: number
  folder: string
  run: string
}

async function loadOwnServer(load: Load): Promise<boolean> {
  const server = await startBenchServer({ dataDir: load.folder })
  try {
    return await loadAndCount(load, server.url)
  } finally {
    await server.close()
  }
}

/** Whether the thresholds held and the server stored what it accepted, by the counters of its /health. */
async function loadAndCount(load: Load, url: string): Promise<boolean> {
  const before = await untilDrained(url)
  const { summary } = await runLoad(load, url, false)
  const after = await untilDrained(url)
  const stored = storedIn(after) - storedIn(before)
  tell(load, summary)
  console.log(`Accepted ${summary.accepted} events, stored ${stored}.`)
  if (summary.missed.length > 0) console.log(`Thresholds missed: ${summary.missed.join(', ')}.`)
  return summary.missed.length === 0 && stored === summary.accepted && after.events.imbalance === 0
}

function storedIn({ events }: BenchHealth): number {
  return events.stored + events.deadLettered
}

/** Whether every accepted event is stored once after the server was killed in the middle, and none that was not sent. */
async function loadAndKill(load: Load): Promise<boolean> {
  const port = String(20_000 + (process.pid % 20_000))
  const start = () => startBenchServer({ dataDir: load.folder, env: { PORT: port } })
  let server: BenchServer = await start()
  try {
    const running = runLoad(load, server.url, true)
    await sleep(load.seconds * 500)
    await server.close('SIGKILL')
    server = await start()
    const { summary, output } = await running
    await server.drained()
    const numbers = (word: string) =>
      new Set([...output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, number]) => Number(number)))
    const taken = numbers('taken')
    const unknown = numbers('unknown')
    const found = await idsIn(load)
    const missing = [...taken].flatMap((number) => idsOf(load, number).filter((id) => !found.has(id))).length
    const twice = [...found.values()].filter((times) => times > 1).length
    const sent = new Set([...taken, ...unknown].flatMap((number) => idsOf(load, number)))
    const spurious = [...found.keys()].filter((id) => !sent.has(id)).length
    tell(load, summary)
    console.log(
      `Killed once. Accepted ${taken.size * load.batch} events: ${missing} missing, ${twice} stored twice. ` +
        `${unknown.size} requests without an answer: ${found.size + missing - taken.size * load.batch} of their ` +
        `${unknown.size * load.batch} events are stored. ${spurious} stored that nobody sent.`,
    )
    return taken.size > 0 && taken.size * load.batch === summary.accepted && missing + twice + spurious === 0
  } finally {
    await server.close()
  }
}

function idsOf({ run, batch }: Load, number: number): string[] {
  return Array.from({ length: batch }, (_, place) => `${run}-${number}-${place}`)
}

/** How often each event id is in the store. */
async function idsIn({ folder }: Load): Promise<Map<string, number>> {
  const store = await createSqliteStore({ path: join(folder, 'veritas.db'), readers: 1, readTimeoutMs: 60_000 })
  const times = new Map<string, number>()
  try {
    for await (const rows of store.scanEvents('default'))
      for (const { eventId } of rows) times.set(eventId, (times.get(eventId) ?? 0) + 1)
  } finally {
    await store.close()
  }
  return times
}

async function runLoad({ k6, rate, seconds, batch, folder, run }: Load, url: string, tells: boolean) {
  const file = join(folder, 'load.json')
  const { output } = await runK6(k6, script, {
    TARGET: url,
    RATE: String(rate),
    SECONDS: String(seconds),
    BATCH: String(batch),
    RUN: run,
    CLIENTS: String(MAX_CLIENTS),
    TELL: tells ? '1' : '0',
    SUMMARY: file,
  })
  try {
    return { summary: JSON.parse(readFileSync(file, 'utf8')) as Summary, output }
  } catch (error) {
    throw new Error(`k6 ended without its counts:\n${output.slice(-4000)}`, { cause: error })
  }
}

function tell({ rate, seconds, batch }: Load, summary: Summary): void {
  const { durationMs: took } = summary
  const at = (name: keyof typeof took) => `${(took[name] ?? 0).toFixed(1)} ms`
  console.log(
    `${rate} events/s in requests of ${batch} for ${seconds} s: ${summary.requests} requests, ` +
      `${Math.round(summary.requestsPerSecond * batch)} events/s; median ${at('med')}, p95 ${at('p(95)')}, ` +
      `p99 ${at('p(99)')}, longest ${at('max')}; ${summary.refused} refused, ${summary.unanswered} without an answer, ` +
      `${summary.unsent} not sent in time.`,
  )
}

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const number = Number(text)
  if (Number.isInteger(number) && number > 0 && number <= 1_000_000) return number
  throw new AppError('invalid_input', `--${name} takes a whole number from 1 to 1,000,000.`)
}
