import { end } from '../launch.ts'
import { balance, startBenchServer } from './bench-server.ts'
import { count } from './finding.ts'
import { cpuOf } from './machine.ts'
import type { MongoDatabase } from './mongo-database.ts'
import { type Load, loads } from './mongo-writing.ts'
import { startTraffic } from './traffic.ts'

/** Throughput of the built server, from accepted to stored and counted. CPU time in microseconds per event. */
export interface SustainedResult {
  load: Load
  repeats: { accepted: number; eventsPerSecond: number; serverUs: number; databaseUs: number | null }[]
}

export async function measureSustained(
  start: () => Promise<MongoDatabase>,
  { repeats, windowMs }: { repeats: number; windowMs: number },
): Promise<SustainedResult[]> {
  const results: SustainedResult[] = []
  for (const load of loads) {
    const result: SustainedResult = { load, repeats: [] }
    for (let repeat = 0; repeat < repeats; repeat++) {
      result.repeats.push(await measure(start, load, windowMs))
      console.log(`accepted to stored, ${load}: ${count(result.repeats.at(-1)!.eventsPerSecond)} events/s`)
    }
    results.push(result)
  }
  return results
}

async function measure(start: () => Promise<MongoDatabase>, load: Load, windowMs: number) {
  const database = await start()
  const traffic = startTraffic()
  try {
    const server = await startBenchServer({ env: { STORE_URL: database.newUrl() } })
    try {
      const cpu = () => ({
        server: cpuOf(server.pid).process,
        database: database.pid === null ? 0 : cpuOf(database.pid).process,
      })
      const order = { port: server.port, run: load, kind: load, eventsPerPost: 100, connections: 8 }
      const warm = await traffic.post({ ...order, windowMs: windowMs / 2 })
      await balance(server, warm.accepted)
      const before = cpu()
      const started = performance.now()
      const { accepted, failed } = await traffic.post({ ...order, windowMs })
      if (failed > 0) throw new Error(`${failed} posts failed.`)
      // Resolves once the figures include every event.
      await balance(server, warm.accepted + accepted)
      const elapsedMs = performance.now() - started
      const after = cpu()
      return {
        accepted,
        eventsPerSecond: (accepted / elapsedMs) * 1000,
        serverUs: (after.server - before.server) / accepted,
        databaseUs: database.pid === null ? null : (after.database - before.database) / accepted,
      }
    } finally {
      await server.close()
    }
  } finally {
    await end(traffic.child)
    await database.close()
  }
}
