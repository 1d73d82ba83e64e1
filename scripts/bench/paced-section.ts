import { end } from '../launch.ts'
import { balance, startBenchServer } from './bench-server.ts'
import { ask, forkBeside } from './child.ts'
import { type Finding, ms, type SectionOptions } from './finding.ts'
import { median } from './machine.ts'
import { type Spread, startTraffic } from './traffic.ts'

const RATE = 2000
const CONNECTIONS = 256

interface Repeat {
  fsync: Spread
  memory: Spread
  sync: Spread
}

/** P5: latency of posts at 2,000 per second, compared with a server without a log on disk and with the disk alone. */
export async function pacedSection({ quick }: SectionOptions) {
  const windowMs = quick ? 1000 : 4000
  const windows = quick ? 1 : 3
  const traffic = startTraffic()
  const probe = forkBeside('sync-probe.mjs')
  const servers = {
    fsync: await startBenchServer({ env: { INGEST_ACK: 'fsync' } }),
    memory: await startBenchServer({ env: { INGEST_ACK: 'memory' } }),
  }
  const accepted = { fsync: 0, memory: 0 }
  let unsent = 0
  async function paced(name: 'fsync' | 'memory', forMs = windowMs): Promise<Spread> {
    const { port, drained } = servers[name]
    const order = { port, run: name, eventsPerPost: 1, windowMs: forMs, connections: CONNECTIONS, rate: RATE }
    const counts = await traffic.post(order)
    if (counts.failed + counts.refused > 0 || !counts.latency.accepted)
      throw new Error(`${name}: ${counts.failed} posts failed, ${counts.refused} were refused.`)
    accepted[name] += counts.accepted
    unsent += counts.unsent
    await drained()
    return counts.latency.accepted
  }
  try {
    for (const name of ['fsync', 'memory'] as const) await paced(name, 1000)
    const repeats: Repeat[] = []
    for (let repeat = 0; repeat < (quick ? 1 : 3); repeat++) {
      const all: Repeat[] = []
      for (let window = 0; window < windows; window++) {
        const fsync = await paced('fsync')
        // Probe the disk during this window, so that it is measured under the same conditions.
        const order = { folder: servers.memory.dataDir, windowMs, pauseMs: 1 }
        const [memory, sync] = await Promise.all([paced('memory'), ask<Spread>(probe, order)])
        all.push({ fsync, memory, sync })
      }
      const least = (who: keyof Repeat, pick: keyof Spread) => Math.min(...all.map((one) => one[who][pick]))
      const best = (who: keyof Repeat) => ({ p50: least(who, 'p50'), p99: least(who, 'p99'), max: least(who, 'max') })
      repeats.push({ fsync: best('fsync'), memory: best('memory'), sync: best('sync') })
      console.log(`paced: repeat ${repeat + 1} done`)
    }
    await balance(servers.fsync, accepted.fsync)
    await balance(servers.memory, accepted.memory)
    const of = (who: keyof Repeat, pick: keyof Spread) => median(repeats.map((repeat) => repeat[who][pick]))
    const goal50 = of('memory', 'p50') + 2 * of('sync', 'p50') + 1
    const goal99 = of('memory', 'p99') + 2 * of('sync', 'p99')
    const probes = (pick: 'p50' | 'p99') => `M ${ms(of('memory', pick))}, S ${ms(of('sync', pick))}`
    const findings: Finding[] = [
      {
        target: 'P5',
        what: `p50 at ${RATE} posts/s (${probes('p50')})`,
        measured: ms(of('fsync', 'p50')),
        goal: `<= M + 2 S + 1 = ${ms(goal50)}`,
        met: of('fsync', 'p50') <= goal50,
      },
      {
        target: 'P5',
        what: `p99 at ${RATE} posts/s (${probes('p99')})`,
        measured: ms(of('fsync', 'p99')),
        goal: `<= M + 2 S = ${ms(goal99)}`,
        met: of('fsync', 'p99') <= goal99,
      },
    ]
    return { findings, rate: RATE, windowMs, repeats, accepted: accepted.fsync, unsent }
  } finally {
    await Promise.all([end(traffic.child), end(probe), servers.fsync.close(), servers.memory.close()])
  }
}
