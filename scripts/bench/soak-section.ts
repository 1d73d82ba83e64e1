import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { end } from '../launch.ts'
import { balance, startBenchServer } from './bench-server.ts'
import type { Finding, SectionOptions } from './finding.ts'
import { residentBytes } from './memory-watch.ts'
import { startTraffic } from './traffic.ts'

const MB = 1024 ** 2
const EVENTS_PER_SECOND = 1000
const EVENTS_PER_POST = 10
/** Share of the run to ignore for the slope of memory: at first caches fill and code is compiled. */
const WARM_SHARE = 0.3

/** P10: memory growth at 1,000 events/s, over 30 minutes (--long) or over one minute for a first impression. */
export async function soakSection({ quick, long }: SectionOptions) {
  const seconds = long ? 1800 : quick ? 5 : 60
  const traffic = startTraffic()
  const server = await startBenchServer()
  try {
    const order = {
      port: server.port,
      run: 'soak',
      kind: 'shop',
      eventsPerPost: EVENTS_PER_POST,
      connections: 64,
    } as const
    const rate = EVENTS_PER_SECOND / EVENTS_PER_POST
    const samples: [minutes: number, megabytes: number][] = []
    const started = Date.now()
    let accepted = 0
    while (Date.now() - started < seconds * 1000) {
      const counts = await traffic.post({ ...order, rate, windowMs: 1000 })
      if (counts.failed + counts.refused > 0) throw new Error(`${counts.failed + counts.refused} posts were not taken.`)
      accepted += counts.accepted
      samples.push([(Date.now() - started) / 60_000, residentBytes(server.pid) / MB])
    }
    await balance(server, accepted)
    await sleep(2000)
    const slots = readdirSync(join(server.dataDir, 'wal'), { recursive: true, encoding: 'utf8' })
    const segments = slots.filter((name) => name.endsWith('.seg')).length
    const slope = 10 * slopeOf(samples.slice(Math.floor(samples.length * WARM_SHARE)))
    const findings: Finding[] = [
      {
        target: 'P10',
        what: `memory over ${seconds} s at 1,000 events/s${long ? '' : ' (too short to judge: --long)'}`,
        measured: `${slope >= 0 ? '+' : ''}${slope.toFixed(1)} MB / 10 min`,
        goal: '<= 1 MB / 10 min',
        met: long ? slope <= 1 : null,
      },
      {
        target: 'P10',
        what: 'segments of the log afterwards',
        measured: String(segments),
        goal: '<= 2',
        met: segments <= 2,
      },
    ]
    return { findings, seconds, accepted, slopeMbPer10Minutes: slope, segments, samples: thinned(samples) }
  } finally {
    await end(traffic.child)
    await server.close()
  }
}

/** Slope of the least-squares line through the points. */
function slopeOf(points: readonly [number, number][]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const middleX = mean(points.map(([x]) => x))
  const middleY = mean(points.map(([, y]) => y))
  const over = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0)
  const under = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0)
  return under === 0 ? 0 : over / under
}

function thinned<T>(samples: readonly T[]): T[] {
  const every = Math.ceil(samples.length / 60)
  return samples.filter((_, i) => i % every === 0)
}
