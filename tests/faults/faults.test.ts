import { describe, expect, it } from 'vitest'
import { describeWith } from '../needs.ts'
import { faults } from './faults.ts'
import { runFault } from './run.ts'

/** FAULTS_SEED runs what a failure printed once more. */
const seed = Number(process.env.FAULTS_SEED ?? 1 + Math.floor(Math.random() * 2 ** 31))
const TIMEOUT_MS = 180_000

// Mostly they wait for processes, disks and clocks: side by side they take a third of the time.
describe.concurrent(`what clients were promised is kept (seed ${seed})`, () => {
  for (const fault of faults) {
    const need = fault.needs ?? { path: '', missing: null }
    describeWith(need, `${fault.id}: ${fault.title}`, () => {
      it(
        'nothing missing, twice, spurious or different, every total right',
        async () => {
          const { comparisons } = await runFault(fault, fault.short, seed)
          expect(comparisons.length).toBeGreaterThan(0)
        },
        TIMEOUT_MS,
      )
    })
  }
})
