import { count, type Finding, ms, type SectionOptions } from './finding.ts'
import { measureLargest } from './largest.ts'
import { printTable } from './machine.ts'

const GOAL_MS = 50

/** P8: how long the largest allowed requests block others. */
export async function largestSection({ quick }: SectionOptions) {
  const stalls = await measureLargest(quick ? 1 : 5)
  console.log('\nLongest stall of the event loop in ms, best of repeats\n')
  printTable(
    ['request', 'bytes', 'events', 'CPU', 'clock', 'ping'],
    stalls.map(({ request, bytes, events, cpuMs, wallMs, pingMs }) => [
      request,
      count(bytes),
      count(events),
      cpuMs.toFixed(0),
      wallMs.toFixed(0),
      pingMs.toFixed(0),
    ]),
  )
  const byCpu = stalls.reduce((a, b) => (b.cpuMs > a.cpuMs ? b : a))
  const byClock = stalls.reduce((a, b) => (b.wallMs > a.wallMs ? b : a))
  const findings: Finding[] = [
    {
      target: 'P8',
      what: `longest stall, CPU (${byCpu.request})`,
      measured: ms(byCpu.cpuMs),
      goal: `<= ${GOAL_MS} ms`,
      met: byCpu.cpuMs <= GOAL_MS,
    },
    {
      target: 'P8',
      what: `longest stall by the clock (${byClock.request})`,
      measured: ms(byClock.wallMs),
      goal: '',
      met: null,
    },
  ]
  return { findings, stalls }
}
