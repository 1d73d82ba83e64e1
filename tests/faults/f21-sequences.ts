import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import { decodeBlock, SEGMENT_START } from '../../server/ingest/wal/segment.ts'
import { backUp, restore } from '../backups.ts'
import { type Comparison, compareStore } from './compare.ts'
import { canMount, fill, mount } from './f08-disk.ts'
import { ensure, type Fault, type FaultRun } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { health, type ShopProcess } from './shop-process.ts'
import { shuffled } from './shuffled.ts'
import type { ShopData } from './store.ts'

const DISK_MIB = 160
const PAGE = 4096
/** Settings with which a server stores nothing, so that what happens to its log affects all its events. */
const HOARDING = { FLUSH_INTERVAL_MS: '60000', FLUSH_EVENTS: '10000' }
const SMALL = { WAL_SEGMENT_BYTES: String(2 * 2 ** 20), INGEST_MAX_BODY_BYTES: '1048576' }

/** A random sequence, determined by the seed, of everything that can happen to a server and its log. */
export const sequences: Fault = {
  id: 'F21',
  title:
    'random sequences of starts, kills, stops, backups, restores, removed locks, damaged pages, full disks, second processes',
  short: { rounds: 1, seconds: 0.25 },
  long: { rounds: 25, seconds: 0.5 },
  async run(run) {
    const comparisons: Comparison[] = []
    const counts = { steps: 0, starts: 0, damages: 0, restores: 0, lost: 0, missing: 0 }
    for (let round = 1; round <= run.rounds; round++) {
      const sequence = await runSequence(run, round, counts)
      comparisons.push(sequence)
      counts.missing += sequence.missing
    }
    return { comparisons, figures: counts }
  },
}

type Step = 'kill' | 'stop' | 'backup' | 'restore' | 'remove locks' | 'damage' | 'fill disk' | 'second process'
const STEPS: readonly Step[] = [
  'kill',
  'stop',
  'backup',
  'restore',
  'remove locks',
  'damage',
  'fill disk',
  'second process',
]

async function runSequence(
  run: FaultRun,
  round: number,
  counts: { steps: number; starts: number; damages: number; restores: number; lost: number },
): Promise<Comparison> {
  const random = createRandom(run.seed, 2100 + round)
  const obligations = new Obligations()
  const own = await run.data()
  const isSmallDisk = canMount()
  if (isSmallDisk) {
    mount(own.dataDir, DISK_MIB)
    run.atEnd(async () => void spawnSync('umount', ['-l', own.dataDir]))
  }
  const place = { dataDir: own.dataDir, mongoUrl: own.env.STORE_URL ?? null }
  // Each server keeps its port across restarts, whatever its settings.
  const [hoarder, second] = [await run.shop(own, { ...SMALL, ...HOARDING }), await run.shop(own, SMALL)]
  const first = await run.shop(own, SMALL, hoarder.port)
  const processes = [first, hoarder, second]
  const running = () => processes.filter(({ pid }) => pid !== 0)
  const backups: { file: string; goBack: () => void }[] = []

  const start = async (process: ShopProcess) => {
    const isTaken = process !== second && [first, hoarder].some(({ pid }) => pid !== 0)
    if (process.pid !== 0 || isTaken) return
    counts.starts++
    // A start may fail on a full disk or while another process ends. The final start must succeed.
    await process.start().catch(() => {})
  }
  const endAll = async () => {
    const signal = random.chance(0.5) ? 'SIGKILL' : 'SIGTERM'
    await Promise.all(running().map((process) => process.stop(signal)))
  }

  const steps: Record<Step, () => Promise<unknown>> = {
    kill: async () => running()[0]?.stop('SIGKILL'),
    stop: async () => running().at(-1)?.stop('SIGTERM'),
    async backup() {
      const file = join(run.folder(), 'all.tar.gz')
      const goBack = obligations.remember()
      await backUp(place, file)
      backups.push({ file, goBack })
    },
    async restore() {
      const backup = backups.at(-1)
      if (!backup) return
      await endAll()
      counts.restores++
      await restore(backup.file, place, { force: true })
      backup.goBack()
      for (const name of readdirSync(own.dataDir))
        if (name.startsWith('before-restore-')) rmSync(join(own.dataDir, name), { recursive: true })
    },
    // Locks of both running and dead processes: an owner that loses its lock exits.
    'remove locks': async () => {
      if (random.chance(0.3)) await endAll()
      for (const path of filesOf(own, /^lock-/)) rmSync(path, { force: true })
      if (random.chance(0.5)) await start(second)
    },
    async damage() {
      await endAll()
      // First make sure that the log to damage holds events.
      await start(hoarder)
      await sleep(400 + run.seconds * 1000)
      await Promise.all(running().map((process) => process.stop('SIGKILL')))
      counts.damages += damage(own, random)
    },
    async 'fill disk'() {
      if (!isSmallDisk) return
      const ballast = join(own.dataDir, 'ballast')
      fill(ballast)
      await sleep(run.seconds * 1000)
      unlinkSync(ballast)
    },
    'second process': () => start(second),
  }

  const say = (text: string) => run.step(`sequence ${round} of ${run.rounds}: ${text}`)
  say('first start')
  await first.start()
  const load = startLoad({
    seed: run.seed + round,
    obligations,
    port: () => random.pick(running().length > 0 ? running() : [first]).port,
    clients: 4,
    eventsPerSecond: 300,
    maxBatch: 30,
  })
  const done: string[] = []
  const order: Step[] = ['backup', ...shuffled<Step>(random, [...STEPS, 'damage'])]
  for (const step of order) {
    counts.steps++
    done.push(step)
    obligations.step = `sequence ${round}: ${done.join(', ')}`
    say(done.join(', '))
    await sleep(random.next() * run.seconds * 2000)
    await expectBalance(running())
    await steps[step]()
    await start(random.pick([first, hoarder]))
  }

  say(`${done.join(', ')}, last start`)
  await endAll()
  await first.start()
  const answers = await load.stop()
  ensure(answers.wrong.length === 0, `wrong answers: ${answers.wrong[0]}`)
  await stored(first)
  const lost = processes.reduce((sum, process) => sum + lostOf(process.output()), 0)
  counts.lost += lost
  const comparison = await compareStore(own, obligations, [], lost)
  await first.stop()
  return comparison
}

/** Checks the counters of those processes that answer; one may be exiting. */
async function expectBalance(processes: readonly ShopProcess[]): Promise<void> {
  for (const { url } of processes) {
    const state = await health(url).catch(() => null)
    ensure(!state || state.events.imbalance === 0, `the counters do not balance: ${JSON.stringify(state?.events)}`)
  }
}

async function stored({ url }: ShopProcess): Promise<void> {
  const deadline = Date.now() + 180_000
  for (;;) {
    const { events } = await health(url)
    ensure(events.imbalance === 0, `the counters do not balance: ${JSON.stringify(events)}`)
    if (events.waiting === 0) return
    ensure(Date.now() < deadline, `${events.waiting} events still wait`)
    await sleep(50)
  }
}

/** Number of events that a server reported as lost, over all its restarts. */
function lostOf(output: string): number {
  const told = output.matchAll(/"kind":"damaged".*?"events":(\d+)/g)
  return [...told].reduce((sum, [, events]) => sum + Number(events), 0)
}

function filesOf({ dataDir }: Pick<ShopData, 'dataDir'>, name: RegExp): string[] {
  const wal = join(dataDir, 'wal')
  return readdirSync(wal, { recursive: true, encoding: 'utf8' })
    .filter((path) => name.test(path.split('/').at(-1)!))
    .map((path) => join(wal, path))
    .sort()
}

/**
 * Damages up to three places in segments of stopped servers, and returns their number. Only within the length that the
 * segment records: of data written just before a kill, nobody can tell how much was lost.
 */
function damage(data: Pick<ShopData, 'dataDir'>, random: Random): number {
  let places = 0
  for (const path of filesOf(data, /^\d+-\d+\.seg$/)) {
    if (places === 3 || random.chance(0.3)) continue
    const file = openSync(path, 'r+')
    try {
      const head = Buffer.alloc(SEGMENT_START)
      readSync(file, head, 0, head.length, 0)
      const told = decodeBlock<{ end: number }>(head, 2048) ?? decodeBlock<{ end: number }>(head, 1024)
      if (!told || told.end < SEGMENT_START + PAGE) continue
      const within = SEGMENT_START + random.int(told.end - SEGMENT_START - PAGE + 1)
      const kind = random.int(3)
      if (kind === 0) writeSync(file, Buffer.alloc(1024, 0x5a), 0, 1024, 0)
      else if (kind === 1) writeSync(file, Buffer.alloc(PAGE, 0xa5), 0, PAGE, within - (within % PAGE))
      else {
        const byte = Buffer.alloc(1)
        readSync(file, byte, 0, 1, within)
        byte[0]! ^= 1 << random.int(8)
        writeSync(file, byte, 0, 1, within)
      }
      places++
    } finally {
      closeSync(file)
    }
  }
  return places
}
