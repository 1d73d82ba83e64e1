import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { freePort } from '../tests/free-port.ts'
import { type BenchHealth, type BenchServer, startBenchServer, untilDrained } from './bench/bench-server.ts'
import { findK6, runK6 } from './k6.ts'
import { adjusted, isProfileName, type Profile, profiles, secondsOf } from './load/profiles.ts'
import { isMet, type LoadCounts, type LoadReport, markdownOf } from './load/report.ts'
import { command } from './open.ts'
import { createOptionCheck } from './options.ts'

const help = {
  about: `npm run load -- [options]

Posts events with k6 as a shop would, and looks afterwards whether as many are stored as were accepted. Starts a server
of its own with an empty store, unless an address is given. Needs k6 in the PATH or in ../shared/bin (https://k6.io).

Profiles
  claim       the first Veritas' claim: 10,000 events a second for 30 seconds, 95 % of the answers within 50 ms and none
              failed (default)
  smoke       500 events a second for 5 seconds
  realistic   a day of a shop in two minutes: browsers and servers, a sale in the evening
  spike       far more than can be stored for some seconds: all answered, refused only with Retry-After
  soak        1,000 events a second for 30 minutes, with the memory before and after

Options
  --profile NAME          one of these
  --rate N                events a second at the profile's highest
  --seconds N             for how long altogether
  --batch N               events in a request (1 with the claim is the claim to the letter)
  --kill                  kill -9 the server in the middle and start it again: every event that was accepted must be
                          there once. Requests without an answer are counted apart: nobody knows of them.
  --url URL               a running server, which must take events without a key and be otherwise idle
  --out FOLDER            write the report to load-PROFILE.md and load-PROFILE.json there
  --help                  this text`,
  examples: ['npm run load', 'npm run load -- --profile smoke --kill'],
  exits: {
    0: 'every threshold was met and every event is there once',
    1: 'a threshold was missed, an event is missing, stored twice, or was never sent; or it failed',
  },
} as const

const script = fileURLToPath(new URL('../tests/load/shop.js', import.meta.url))
const MAX_CLIENTS = 400

await command(help, async () => {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string', default: 'claim' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      batch: { type: 'string' },
      kill: { type: 'boolean', default: false },
      url: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const name = values.profile
  if (!isProfileName(name))
    throw new AppError('invalid_input', `--profile takes ${Object.keys(profiles).join(', ')}, not ${name}.`)
  if (values.kill && values.url !== undefined)
    throw new AppError('invalid_input', '--kill is for a server that this command starts: leave out --url.')
  if (values.url !== undefined && !URL.canParse(values.url))
    throw new AppError('invalid_input', `--url takes an address such as http://127.0.0.1:3000, not ${values.url}.`)
  const profile = adjusted(profiles[name], numbers(values))
  const k6 = findK6()
  if (!k6)
    throw new AppError('unavailable', 'There is no k6 in the PATH or in ../shared/bin. Install it: https://k6.io')
  const folder = mkdtempSync(join(tmpdir(), 'veritas-load-'))
  try {
    // After a kill, an event can only be traced by its request's number, so send uniform requests.
    const settings = values.kill ? { ...profile, mixed: false } : profile
    const load: Load = { k6, name, profile: settings, folder, run: `load-${Date.now().toString(36)}` }
    const report = values.kill
      ? await loadAndKill(load)
      : values.url !== undefined
        ? await loadAndCount(load, values.url)
        : await loadOwnServer(load)
    const text = markdownOf(report)
    console.log(text)
    if (values.out !== undefined) {
      mkdirSync(values.out, { recursive: true })
      writeFileSync(join(values.out, `load-${name}.md`), text)
      writeFileSync(join(values.out, `load-${name}.json`), `${JSON.stringify(report, null, 2)}\n`)
    }
    if (!isMet(report)) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

interface Load {
  k6: string
  name: string
  profile: Profile
  folder: string
  run: string
}

async function loadOwnServer(load: Load): Promise<LoadReport> {
  const server = await startBenchServer({ dataDir: load.folder })
  try {
    return await loadAndCount(load, server.url)
  } finally {
    await server.close()
  }
}

/** Checks by the counters of /health that the server has stored what it accepted. */
async function loadAndCount(load: Load, url: string): Promise<LoadReport> {
  const before = await untilDrained(url)
  const { counts } = await runLoad(load, url, false)
  const after = await untilDrained(url)
  const stored = storedIn(after) - storedIn(before)
  return {
    profile: load.name,
    settings: load.profile,
    counts,
    truths: [
      { what: `accepted ${counts.accepted} = stored ${stored}`, ok: counts.accepted > 0 && stored === counts.accepted },
      { what: 'the counters of /health balance', ok: after.events.imbalance === 0 },
    ],
    memory: { before: before.memory.rss, after: after.memory.rss },
  }
}

function storedIn({ events }: BenchHealth): number {
  return events.stored + events.deadLettered
}

/** Kills the server midway. Checks that every accepted event is stored once, and that no other event is stored. */
async function loadAndKill(load: Load): Promise<LoadReport> {
  const port = String(await freePort())
  const start = () => startBenchServer({ dataDir: load.folder, env: { PORT: port } })
  let server: BenchServer = await start()
  try {
    const running = runLoad(load, server.url, true)
    await sleep(secondsOf(load.profile) * 500)
    await server.close('SIGKILL')
    server = await start()
    const { counts, output } = await running
    await server.drained()
    return { profile: load.name, settings: load.profile, counts, truths: await truthsOf(load, counts, output) }
  } finally {
    await server.close()
  }
}

async function truthsOf(load: Load, counts: LoadCounts, output: string): Promise<LoadReport['truths']> {
  const numbersAfter = (word: string) =>
    new Set([...output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, number]) => Number(number)))
  const taken = numbersAfter('taken')
  const unknown = numbersAfter('unknown')
  const found = await idsIn(load)
  const promised = taken.size * load.profile.batch
  const missing = [...taken].flatMap((number) => idsOf(load, number).filter((id) => !found.has(id))).length
  const twice = [...found.values()].filter((times) => times > 1).length
  const sent = new Set([...taken, ...unknown].flatMap((number) => idsOf(load, number)))
  const spurious = [...found.keys()].filter((id) => !sent.has(id)).length
  const alsoStored = found.size + missing - promised
  return [
    {
      what: `killed once: accepted ${counts.accepted} = answered with 202 ${promised}`,
      ok: promised > 0 && promised === counts.accepted,
    },
    { what: `${missing} accepted events missing`, ok: missing === 0 },
    { what: `${twice} stored twice`, ok: twice === 0 },
    { what: `${spurious} stored that nobody sent`, ok: spurious === 0 },
    { what: `${alsoStored} stored of ${unknown.size} requests that got no answer`, ok: true },
  ]
}

function idsOf({ run, profile }: Load, number: number): string[] {
  return Array.from({ length: profile.batch }, (_, place) => `${run}-${number}-${place}`)
}

/** How often each event id occurs in the store. */
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

async function runLoad({ k6, profile, folder, run }: Load, url: string, tells: boolean) {
  const file = join(folder, 'load.json')
  const { output } = await runK6(k6, script, {
    TARGET: url,
    PROFILE: JSON.stringify(profile),
    RUN: run,
    CLIENTS: String(MAX_CLIENTS),
    TELL: tells ? '1' : '0',
    SUMMARY: file,
  })
  try {
    return { counts: JSON.parse(readFileSync(file, 'utf8')) as LoadCounts, output }
  } catch (error) {
    throw new Error(`k6 ended without its counts:\n${output.slice(-4000)}`, { cause: error })
  }
}

function numbers(values: { rate?: string; seconds?: string; batch?: string }) {
  const given: { rate?: number; seconds?: number; batch?: number } = {}
  const check = createOptionCheck()
  for (const name of ['rate', 'seconds', 'batch'] as const) {
    const number = check.whole(`--${name}`, values[name], { min: 1, max: 1_000_000, otherwise: null })
    if (number !== null) given[name] = number
  }
  check.assertRight()
  return given
}
