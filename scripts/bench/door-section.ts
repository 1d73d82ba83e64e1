import { doorRatios, doorTargets, figure, measureDoor, postSizes } from './door.ts'
import { count, type Finding, type SectionOptions, times, us } from './finding.ts'
import { printTable } from './machine.ts'

/** P1 to P4: the cost of accepting a post. */
export async function doorSection({ quick }: SectionOptions) {
  const repeats = quick ? 1 : 3
  const onRepeat = (repeat: number) => console.log(`door: repeat ${repeat} of ${repeats}`)
  const windowMs = quick ? 400 : 1500
  const door = await measureDoor({ repeats, windows: quick ? 1 : 3, windowMs, onRepeat })
  const ratios = doorRatios(door)
  const single = figure(door, 'fsync', 1, (window) => window.requestsPerSecond)
  const hundred = 100 * figure(door, 'fsync', 100, (window) => window.requestsPerSecond)
  const loop1 = figure(door, 'fsync', 1, (window) => window.loopUs)
  const loop100 = figure(door, 'fsync', 100, (window) => window.loopUs) / 100
  const findings: Finding[] = [
    {
      target: 'P1',
      what: 'requests/s of 1 event, x R0',
      measured: times(ratios.rateToR0),
      goal: '>= 0.6 x',
      met: ratios.rateToR0 >= 0.6,
    },
    { target: 'P1', what: 'the same, x R1', measured: times(ratios.rateToR1), goal: '', met: null },
    { target: 'P1', what: 'requests/s of 1 event', measured: count(single), goal: '>= 10,000', met: single >= 10_000 },
    {
      target: 'P2',
      what: 'events/s in posts of 100',
      measured: count(hundred),
      goal: '>= 100,000',
      met: hundred >= 100_000,
    },
    { target: 'P2', what: 'CPU of the loop an event', measured: us(loop100), goal: '<= 6 µs', met: loop100 <= 6 },
    { target: 'P2', what: 'the same, x R1', measured: times(ratios.hundredCpuToR1), goal: '', met: null },
    { target: 'P3', what: 'CPU of the loop, 1 event', measured: us(loop1), goal: '<= 45 µs', met: loop1 <= 45 },
    {
      target: 'P3',
      what: 'the same, x R0',
      measured: times(ratios.singleCpuToR0),
      goal: '<= 1.5 x',
      met: ratios.singleCpuToR0 <= 1.5,
    },
    { target: 'P3', what: 'the same, x R1', measured: times(ratios.singleCpuToR1), goal: '', met: null },
    {
      target: 'P4',
      what: 'CPU fsync / memory, 1 event',
      measured: times(ratios.singleFsyncToMemory),
      goal: '<= 1.10 x',
      met: ratios.singleFsyncToMemory <= 1.1,
    },
    {
      target: 'P4',
      what: 'CPU fsync / memory, 100 events',
      measured: times(ratios.hundredFsyncToMemory),
      goal: '<= 1.10 x',
      met: ratios.hundredFsyncToMemory <= 1.1,
    },
  ]
  console.log('\nBest of windows, median of repeats; CPU in µs a post until it is stored\n')
  printTable(
    ['post', 'target', 'posts/s', 'loop CPU', 'of repeats', 'all CPU', 'generator'],
    postSizes.flatMap((size) =>
      doorTargets.map((target) => {
        const loops = door.repeats[`${target} ${size}`].map((window) => window.loopUs)
        const of = (pick: 'requestsPerSecond' | 'loopUs' | 'processUs' | 'generatorShare') =>
          figure(door, target, size, (window) => window[pick])
        return [
          size === 1 ? '1 event' : `${size} events`,
          target,
          count(of('requestsPerSecond')),
          of('loopUs').toFixed(1),
          `${Math.min(...loops).toFixed(1)}–${Math.max(...loops).toFixed(1)}`,
          of('processUs').toFixed(1),
          `${(of('generatorShare') * 100).toFixed(0)} %`,
        ]
      }),
    ),
  )
  console.log(`\nAccepted ${count(door.accepted)} events, stored ${count(door.stored)}.`)
  return { findings, windowMs, ...door }
}
