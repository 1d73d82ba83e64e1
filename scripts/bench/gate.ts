import { doorRatios, measureDoor } from './door.ts'
import { measureLargest } from './largest.ts'
import { machine, printTable } from './machine.ts'

/** A ratio that a change must not make worse; the bounds leave room for a machine that others use too. */
interface Bound {
  target: string
  what: string
  value: number
  atMost: number
}

/**
 * The targets that are ratios, in short, with bounds that hold on a noisy machine: it is to catch what makes ingest
 * slower by a third, not to measure it. Throws when a server lacks or adds an event. Resolves to false when a bound is
 * missed.
 */
export async function runGate({ quick }: { quick: boolean }): Promise<boolean> {
  const door = await measureDoor({ repeats: 1, windows: quick ? 2 : 3, windowMs: quick ? 250 : 400 })
  const ratios = doorRatios(door)
  const stalls = await measureLargest(quick ? 1 : 2)
  const longest = stalls.reduce((a, b) => (b.cpuMs > a.cpuMs ? b : a))
  const bounds: Bound[] = [
    { target: 'P1, P3', what: '1 event: CPU of the loop, x R1', value: ratios.singleCpuToR1, atMost: 3.5 },
    { target: 'P2', what: '100 events: CPU of the loop, x R1', value: ratios.hundredCpuToR1, atMost: 7 },
    { target: 'P4', what: '1 event: CPU with fsync, x memory', value: ratios.singleFsyncToMemory, atMost: 1.8 },
    { target: 'P4', what: '100 events: CPU with fsync, x memory', value: ratios.hundredFsyncToMemory, atMost: 1.5 },
    { target: 'P8', what: `longest stall in ms of CPU (${longest.request})`, value: longest.cpuMs, atMost: 60 },
  ]
  const { cores, cpu, node } = machine()
  console.log(
    `Best of windows; R1 is a bare node:http that reads, parses and answers. ${cores} cores, ${cpu}, Node ${node}\n`,
  )
  printTable(
    ['target', 'what', 'measured', 'at most', ''],
    bounds.map(({ target, what, value, atMost }) => [
      target,
      what,
      value.toFixed(2),
      String(atMost),
      value <= atMost ? 'ok' : 'missed',
    ]),
  )
  console.log(`\nAccepted ${door.accepted} events, stored ${door.stored}.`)
  const missed = bounds.filter(({ value, atMost }) => value > atMost)
  if (missed.length > 0) console.log(`The gate is closed: ${missed.map(({ target }) => target).join(', ')} missed.`)
  return missed.length === 0
}
