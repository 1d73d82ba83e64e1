import { readdir } from 'node:fs/promises'
import {
  constants,
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import type { Source } from './instruments.ts'
import type { Measures } from './measures.ts'

const GC_KINDS: Record<number, string> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}
/** How often the loop's lateness is looked at; it reads as this much more than it is. */
const RESOLUTION_MS = 20

/** Entries of garbage collections have a detail that the types of Node leave out. */
type GcEntry = PerformanceEntry & { detail: { kind: number } }

export interface ProcessWatch {
  source: Source
  close(): void
}

/** The process, its loop and its heap. */
export function watchProcess({ collections }: Pick<Measures, 'collections'>): ProcessWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let utilization = performance.eventLoopUtilization()
  const observer = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as GcEntry[])
      collections.of(GC_KINDS[detail.kind] ?? 'other').add(duration / 1000)
  })
  observer.observe({ entryTypes: ['gc'] })

  return {
    async source(observe) {
      const { user, system } = process.cpuUsage()
      observe('process.cpu.time', user / 1e6, { 'cpu.mode': 'user' })
      observe('process.cpu.time', system / 1e6, { 'cpu.mode': 'system' })
      observe('process.memory.usage', process.memoryUsage.rss())
      observe('process.uptime', process.uptime())
      observe('nodejs.eventloop.delay.mean', lateness(delay, delay.mean))
      observe('nodejs.eventloop.delay.p99', lateness(delay, delay.percentile(99)))
      observe('nodejs.eventloop.delay.max', lateness(delay, delay.max))
      delay.reset()
      const until = performance.eventLoopUtilization()
      observe('nodejs.eventloop.utilization', performance.eventLoopUtilization(until, utilization).utilization)
      utilization = until
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name }
        observe('v8js.memory.heap.used', space.space_used_size, attributes)
        observe('v8js.memory.heap.limit', space.space_size, attributes)
      }
      const files = await openFiles()
      if (files !== null) observe('process.open_file_descriptor.count', files)
    },
    close() {
      delay.disable()
      observer.disconnect()
    },
  }
}

function lateness({ count }: IntervalHistogram, nanoseconds: number): number {
  return count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000)
}

/** null where the system does not list them. */
async function openFiles(): Promise<number | null> {
  try {
    return (await readdir('/proc/self/fd')).length
  } catch {
    return null
  }
}
