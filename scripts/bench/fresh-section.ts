import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { end } from '../launch.ts'
import { type BenchServer, balance, startBenchServer } from './bench-server.ts'
import { count, type Finding, ms, type SectionOptions } from './finding.ts'
import { quantile } from './machine.ts'
import { writeLog } from './ready-log.ts'
import { startTraffic, type TrafficCounts } from './traffic.ts'

const EVENTS_PER_SECOND = 1000
const EVENTS_PER_POST = 10

/** P9: the delay until an accepted event is counted, and the speed of draining a backlog while new events arrive. */
export async function freshSection({ quick }: SectionOptions) {
  const live = await visibility(quick ? 3000 : 20_000)
  const backlog = await drainBacklog(quick ? 50_000 : 400_000)
  const findings: Finding[] = [
    {
      target: 'P9',
      what: `accepted to visible in /stats at ${count(EVENTS_PER_SECOND)} events/s, p99 (p50 ${ms(live.p50Ms)})`,
      measured: ms(live.p99Ms),
      goal: '<= 1,000 ms',
      met: live.p99Ms <= 1000,
    },
    {
      target: 'P9',
      what: `backlog of ${count(backlog.events)} drained beside ${count(EVENTS_PER_SECOND)} events/s, x the live rate`,
      measured: `${backlog.timesLive.toFixed(0)} x`,
      goal: '>= 5 x',
      met: backlog.timesLive >= 5,
    },
  ]
  return { findings, live, backlog }
}

async function visibility(windowMs: number) {
  const traffic = startTraffic()
  const server = await startBenchServer()
  try {
    const waits: number[] = []
    const seen: [atMs: number, events: number][] = []
    const counts = await whilePosting(server, traffic.post, windowMs, async () => {
      seen.push([Date.now(), await server.stored()])
      await sleep(10)
      return false
    })
    await server.drained()
    seen.push([Date.now(), await server.stored()])
    // The n-th accepted event is visible in the first sample with a total of n, as of the time of its answer.
    let total = 0
    let sample = 0
    for (const [at, events] of counts.acceptedAt!) {
      total += events
      while (sample < seen.length - 1 && seen[sample]![1] < total) sample++
      waits.push(Math.max(0, seen[Math.min(sample + 1, seen.length - 1)]![0] - at))
    }
    await balance(server, counts.accepted)
    return {
      p50Ms: quantile(waits, 0.5),
      p99Ms: quantile(waits, 0.99),
      samples: seen.length,
      accepted: counts.accepted,
    }
  } finally {
    await end(traffic.child)
    await server.close()
  }
}

async function drainBacklog(events: number) {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-bench-'))
  const traffic = startTraffic()
  try {
    const log = await writeLog(join(dataDir, 'wal'), { events })
    const server = await startBenchServer({ dataDir })
    try {
      const first = await server.health()
      const started = performance.now()
      let drainedMs = 0
      const counts = await whilePosting(server, traffic.post, 60_000, async () => {
        await sleep(50)
        // Events of the last second may still be waiting: those are not backlog.
        if ((await server.health()).bufferSize > EVENTS_PER_SECOND) return false
        drainedMs = performance.now() - started
        return true
      })
      await balance(server, log.events + counts.accepted)
      // Relative to what waited at the first health check: part of the backlog was drained during startup.
      const eventsPerSecond = (first.bufferSize / Math.max(1, drainedMs)) * 1000
      return { ...log, drainedMs, eventsPerSecond, timesLive: eventsPerSecond / EVENTS_PER_SECOND }
    } finally {
      await server.close()
    }
  } finally {
    await end(traffic.child)
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Posts at the live rate and calls `look` repeatedly until `windowMs` is over or `look` resolves to true. */
async function whilePosting(
  server: BenchServer,
  post: ReturnType<typeof startTraffic>['post'],
  windowMs: number,
  look: () => Promise<boolean>,
): Promise<Pick<TrafficCounts, 'accepted' | 'acceptedAt'>> {
  const order = {
    port: server.port,
    run: 'live',
    kind: 'shop',
    eventsPerPost: EVENTS_PER_POST,
    connections: 64,
  } as const
  const rate = EVENTS_PER_SECOND / EVENTS_PER_POST
  const deadline = Date.now() + windowMs
  const sum = { accepted: 0, acceptedAt: [] as [number, number][] }
  let done = false
  async function posting() {
    while (!done && Date.now() < deadline) {
      const counts = await post({ ...order, rate, windowMs: 1000, timeline: true })
      if (counts.failed + counts.refused > 0) throw new Error(`${counts.failed + counts.refused} posts were not taken.`)
      sum.accepted += counts.accepted
      sum.acceptedAt.push(...counts.acceptedAt!)
    }
    done = true
  }
  async function looking() {
    while (!done) if (await look()) done = true
  }
  await Promise.all([posting(), looking()])
  return sum
}
