import { describe, expect, it } from 'vitest'
import { describeWith, nothing } from '../needs.ts'
import { type StoreKind, storeKinds } from '../store-kind.ts'
import { faultsOf, missingFor } from './faults.ts'
import { runFault } from './run.ts'

/** FAULTS_SEED runs what a failure printed once more. */
const seed = Number(process.env.FAULTS_SEED ?? 1 + Math.floor(Math.random() * 2 ** 31))
const TIMEOUT_MS = 600_000
/** On MongoDB, what its own way of writing could break; doors and logs are the same as on SQLite. */
const onMongo = new Set(['F1', 'F5', 'F6', 'F7', 'F9', 'F10', 'F16', 'F17', 'F18', 'F19'])

const shortOf = (store: StoreKind) => faultsOf(store).filter(({ id }) => store === 'sqlite' || onMongo.has(id))

// Mostly they wait for processes, disks and clocks: side by side they take a third of the time.
describe.concurrent.each(storeKinds)(`what clients were promised is kept (%s, seed ${seed})`, (store) => {
  for (const fault of shortOf(store)) {
    describeWith(missingFor(fault, store) ?? nothing, `${fault.id}: ${fault.title}`, () => {
      it(
        'nothing missing, twice, spurious or different, every total right',
        async () => {
          const { comparisons } = await runFault(fault, { ...fault.short, seed, store })
          expect(comparisons.length).toBeGreaterThan(0)
        },
        TIMEOUT_MS,
      )
    })
  }
})
