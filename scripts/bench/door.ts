import { end } from '../launch.ts'
import { type BenchServer, balance, startBenchServer } from './bench-server.ts'
import { answer, forkBeside } from './child.ts'
import { median } from './machine.ts'
import { startTraffic } from './traffic.ts'
import { best, measureWindow, type Target, type Window } from './windows.ts'

export interface DoorOptions {
  repeats: number
  /** Windows per target in one repeat; the best one counts. */
  windows: number
  windowMs: number
  onRepeat?: (repeat: number) => void
}

export type DoorTarget = 'R0' | 'R1' | 'memory' | 'fsync'

/** The best window of every repeat, by target and events per post. */
export interface DoorFigures {
  repeats: Record<`${DoorTarget} ${1 | 100}`, Window[]>
  accepted: number
  stored: number
}

const CONNECTIONS = 64
export const doorTargets: readonly DoorTarget[] = ['R0', 'R1', 'memory', 'fsync']
export const postSizes = [1, 100] as const

/** Large enough to buffer a whole window, so that nothing is refused and only accepting is measured. */
const env = { INGEST_BUFFER_EVENTS: '10000000' }

/**
 * Posts 1 and 100 events at a time, in alternating windows, to the server, to the server without a log on disk and to
 * two bare node:http servers. Throws if a store has lost or gained events.
 */
export async function measureDoor({ repeats, windows, windowMs, onRepeat }: DoorOptions): Promise<DoorFigures> {
  const traffic = startTraffic()
  const bare = { R0: forkBeside('bare-server.mjs', 'ignore'), R1: forkBeside('bare-server.mjs', 'read') }
  const servers: Partial<Record<'memory' | 'fsync', BenchServer>> = {}
  const accepted = { memory: 0, fsync: 0 }
  try {
    const ports = await Promise.all([bare.R0, bare.R1].map((child) => answer<{ port: number }>(child)))
    const targets: Record<string, Target> = {
      R0: { name: 'R0', port: ports[0]!.port, pid: bare.R0.pid! },
      R1: { name: 'R1', port: ports[1]!.port, pid: bare.R1.pid! },
    }
    for (const name of ['memory', 'fsync'] as const) {
      const server = await startBenchServer({ env: { ...env, INGEST_ACK: name } })
      servers[name] = server
      targets[name] = { name, port: server.port, pid: server.pid, settle: server.drained }
    }

    const measure = async (name: DoorTarget, eventsPerPost: number) => {
      const order = { run: `door-${name}`, eventsPerPost, windowMs, connections: CONNECTIONS }
      const window = await measureWindow(traffic, targets[name]!, order)
      if (name === 'memory' || name === 'fsync') accepted[name] += window.accepted
      return window
    }
    // Warm-up: the code of the first requests is not compiled yet.
    for (const name of doorTargets) for (const size of postSizes) await measure(name, size)

    const found = {} as DoorFigures['repeats']
    for (let repeat = 0; repeat < repeats; repeat++) {
      const all: Partial<Record<keyof DoorFigures['repeats'], Window[]>> = {}
      for (let window = 0; window < windows; window++)
        for (const size of postSizes)
          for (const name of doorTargets) {
            const key = `${name} ${size}` as const
            all[key] = [...(all[key] ?? []), await measure(name, size)]
          }
      for (const [key, list] of Object.entries(all) as [keyof typeof found, Window[]][])
        found[key] = [...(found[key] ?? []), best(list)]
      onRepeat?.(repeat + 1)
    }
    await balance(servers.memory!, accepted.memory)
    const { stored } = await balance(servers.fsync!, accepted.fsync)
    return { repeats: found, accepted: accepted.fsync, stored }
  } finally {
    await Promise.all([
      ...[traffic.child, bare.R0, bare.R1].map((child) => end(child)),
      ...Object.values(servers).map((server) => server.close()),
    ])
  }
}

/** The median of a figure over the repeats. */
export function figure(door: DoorFigures, target: DoorTarget, size: 1 | 100, pick: (window: Window) => number): number {
  return median(door.repeats[`${target} ${size}`].map(pick))
}

/** The ratios for targets P1 to P4. */
export function doorRatios(door: DoorFigures) {
  const loop = (window: Window) => window.loopUs
  const all = (window: Window) => window.processUs
  const rate = (window: Window) => window.requestsPerSecond
  const ratio = (size: 1 | 100, a: DoorTarget, b: DoorTarget, pick: (window: Window) => number) =>
    figure(door, a, size, pick) / figure(door, b, size, pick)
  return {
    rateToR0: ratio(1, 'fsync', 'R0', rate),
    rateToR1: ratio(1, 'fsync', 'R1', rate),
    singleCpuToR0: ratio(1, 'fsync', 'R0', loop),
    singleCpuToR1: ratio(1, 'fsync', 'R1', loop),
    hundredCpuToR1: ratio(100, 'fsync', 'R1', loop),
    singleFsyncToMemory: ratio(1, 'fsync', 'memory', all),
    hundredFsyncToMemory: ratio(100, 'fsync', 'memory', all),
  }
}
