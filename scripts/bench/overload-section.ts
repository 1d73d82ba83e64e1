import { end } from '../launch.ts'
import { balance, startBenchServer } from './bench-server.ts'
import { count, type Finding, megabytes, ms, type SectionOptions } from './finding.ts'
import { residentBytes, watchMemory } from './memory-watch.ts'
import { startTraffic, type TrafficCounts } from './traffic.ts'

const MB = 1024 ** 2
const CONNECTIONS = 512

/** Two bottlenecks. Accepting: posts of one event. Storing: posts of 100 events with a small log on disk. */
const loads = [
  { name: 'door', eventsPerPost: 1, kind: 'page', env: {} },
  { name: 'full log', eventsPerPost: 100, kind: 'shop', env: { WAL_MAX_BYTES: String(24 * MB) } },
] as const

/** P7: twice the load the server can take. What is accepted must be stored; refusals must be quick. */
export async function overloadSection({ quick }: SectionOptions) {
  const windowMs = quick ? 2000 : 8000
  const findings: Finding[] = []
  const figures: object[] = []
  for (const load of loads) {
    const traffic = startTraffic()
    const server = await startBenchServer({ env: load.env })
    try {
      const order = { port: server.port, run: load.name, kind: load.kind, eventsPerPost: load.eventsPerPost }
      let accepted = 0
      /** Posts for `windowMs`; throws if a post fails (a refusal is no failure). */
      const run = async (more: { connections: number; rate?: number; windowMs: number }): Promise<TrafficCounts> => {
        const counts = await traffic.post({ ...order, ...more })
        if (counts.failed > 0) throw new Error(`${load.name}: ${counts.failed} posts failed.`)
        accepted += counts.accepted
        return counts
      }
      const goodputOf = (counts: TrafficCounts) => (counts.accepted / load.eventsPerPost / counts.elapsedMs) * 1000
      await run({ connections: 64, windowMs: 1000 })
      // With a full log, posts are accepted as fast as the store frees space.
      const peakRun = await run({ connections: load.name === 'door' ? 64 : 4, windowMs })
      const peak = goodputOf(peakRun)
      if (load.name === 'door') await server.drained()
      const before = residentBytes(server.pid)
      const watch = watchMemory(server.pid)
      const counts = await run({ connections: CONNECTIONS, rate: Math.ceil(2 * peak), windowMs })
      const { maxBytes } = watch.stop()
      const goodput = goodputOf(counts)
      const grown = Math.max(0, maxBytes - before)
      const refusals = counts.latency.refused
      await balance(server, accepted)
      const share = goodput / peak
      findings.push(
        {
          target: 'P7',
          what: `${load.name}: goodput at 2 x of ${count(peak)} posts/s`,
          measured: `${Math.round(share * 100)} %`,
          goal: '>= 80 %',
          met: share >= 0.8,
        },
        {
          target: 'P7',
          what: `${load.name}: p99 of ${count(counts.refused)} refusals, ${counts.withoutRetryAfter} without Retry-After`,
          measured: refusals ? ms(refusals.p99) : 'none refused',
          goal: '<= 20 ms',
          met: refusals ? refusals.p99 <= 20 && counts.withoutRetryAfter === 0 : null,
        },
        {
          target: 'P7',
          what: `${load.name}: memory`,
          measured: `+${megabytes(grown)}`,
          goal: '<= 64 MB',
          met: grown <= 64 * MB,
        },
      )
      figures.push({ load: load.name, peak, goodput, grownBytes: grown, counts })
      console.log(`overload, ${load.name}: done`)
    } finally {
      await end(traffic.child)
      await server.close()
    }
  }
  return { findings, figures }
}
