import { end } from '../launch.ts'
import { balance, startBenchServer } from './bench-server.ts'
import { count, type Finding, type SectionOptions, us } from './finding.ts'
import { cpuOf, median } from './machine.ts'
import { startTraffic } from './traffic.ts'

const goals = { shop: 25_000, wide: null } as const

/** P6: events per second from the first post until the last event is stored and included in all rollups. */
export async function sustainSection({ quick }: SectionOptions) {
  const windowMs = quick ? 1500 : 8000
  const findings: Finding[] = []
  const loads: Record<string, { eventsPerSecond: number; cpuUs: number; accepted: number }[]> = {}
  for (const kind of ['shop', 'wide'] as const) {
    const repeats = []
    for (let repeat = 0; repeat < (quick ? 1 : 3); repeat++) {
      const traffic = startTraffic()
      const server = await startBenchServer()
      try {
        const order = { port: server.port, run: kind, kind, eventsPerPost: 100, connections: 8 }
        const warm = await traffic.post({ ...order, windowMs: 500 })
        await server.drained()
        const before = cpuOf(server.pid).process
        const started = performance.now()
        const { accepted, failed } = await traffic.post({ ...order, windowMs })
        if (failed > 0) throw new Error(`${failed} posts failed.`)
        await server.drained()
        const elapsedMs = performance.now() - started
        const cpuUs = (cpuOf(server.pid).process - before) / accepted
        await balance(server, warm.accepted + accepted)
        repeats.push({ eventsPerSecond: (accepted / elapsedMs) * 1000, cpuUs, accepted })
        console.log(`sustained, ${kind}: ${count((accepted / elapsedMs) * 1000)} events/s`)
      } finally {
        await end(traffic.child)
        await server.close()
      }
    }
    loads[kind] = repeats
    const rate = median(repeats.map((repeat) => repeat.eventsPerSecond))
    const goal = goals[kind]
    findings.push({
      target: 'P6',
      what: `events/s accepted to stored, ${kind} (${us(median(repeats.map(({ cpuUs }) => cpuUs)))} CPU an event)`,
      measured: count(rate),
      goal: goal === null ? '' : `>= ${count(goal)}`,
      met: goal === null ? null : rate >= goal,
    })
  }
  return { findings, loads }
}
