import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import type { Fault } from '../tests/faults/fault.ts'
import { faultsOf, missingFor } from '../tests/faults/faults.ts'
import { runFault } from '../tests/faults/run.ts'
import { type StoreKind, storeKinds } from '../tests/store-kind.ts'
import { command } from './open.ts'
import { createOptionCheck } from './options.ts'

const list = [...new Set(storeKinds.flatMap(faultsOf))]
  .map(({ id, title, only }) => `  ${id.padEnd(4)} ${title}${only ? ` (--store ${only})` : ''}`)
  .join('\n')
const help = {
  about: `npm run faults -- [F1 …] [options]

Breaks a running Veritas in every way that is listed, at length, and compares what clients were promised with what is
stored: nothing missing, nothing twice, nothing nobody sent, every total equal to a recount of the rows. Without a name
all of them run. npm test runs the same in short; docs/faults.md has the measured figures.

${list}

Options
  --store S    sqlite (default), or mongo: the mongod that MONGOMS_SYSTEM_BINARY names, else its stand-in
  --seed N     the same run again (default: a new one, printed)
  --rounds N   kills, reloads or resends instead of the fault's own number
  --short      as short as in npm test
  --help       this text`,
  examples: ['npm run faults -- --short', 'npm run faults -- F1 F9 --seed 42'],
  exits: { 0: 'every promise held', 1: 'one was broken, or a fault could not be run: a line says which' },
} as const

const MAX_SEED = 2 ** 31
const MAX_ROUNDS = 100_000

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      store: { type: 'string', default: 'sqlite' },
      seed: { type: 'string' },
      rounds: { type: 'string' },
      short: { type: 'boolean', default: false },
    },
  })
  const store = storeKinds.find((kind) => kind === values.store)
  if (!store) throw new AppError('invalid_input', `--store ${values.store}: ${storeKinds.join(' or ')}.`)
  const check = createOptionCheck()
  const any = 1 + Math.floor(Math.random() * MAX_SEED)
  const seed = check.whole('--seed', values.seed, { min: 1, max: MAX_SEED, otherwise: any })
  const rounds = check.whole('--rounds', values.rounds, { min: 1, max: MAX_ROUNDS, otherwise: null })
  check.assertRight()
  const faults = chosen(store, positionals)
  await runAll(faults, { store, seed, rounds, short: values.short })
})
// Exit even if a fault test left a handle open.
process.exit()

function chosen(store: StoreKind, positionals: readonly string[]): readonly Fault[] {
  const all = faultsOf(store)
  const names = positionals.map((name) => name.toUpperCase())
  const unknown = names.find((name) => !all.some(({ id }) => id === name))
  if (unknown !== undefined)
    throw new AppError(
      'invalid_input',
      `${unknown} is none of ${[...new Set(all.map(({ id }) => id))].join(', ')} with --store ${store}.`,
    )
  return names.length === 0 ? all : all.filter(({ id }) => names.includes(id))
}

interface Chosen {
  store: StoreKind
  seed: number
  rounds: number | null
  short: boolean
}

async function runAll(faults: readonly Fault[], { store, seed, rounds, short }: Chosen): Promise<void> {
  console.log(`Seed ${seed}, store ${store}`)
  for (const fault of faults) {
    const need = missingFor(fault, store)
    if (need) {
      console.log(`${fault.id}: skipped (${need.missing})`)
      continue
    }
    const started = Date.now()
    const size = short ? fault.short : fault.long
    const onStep = (text: string) => {
      if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${fault.id}: ${text}`)
    }
    try {
      const report = await runFault(fault, { ...size, ...(rounds && { rounds }), seed, store, onStep })
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
      console.log(`${fault.id}: ${fault.title}: held (${((Date.now() - started) / 1000).toFixed(1)} s)`)
      for (const { faults: _, ...counts } of report.comparisons) console.log(`    ${figures(counts)}`)
      if (Object.keys(report.figures).length > 0) console.log(`    ${figures(report.figures)}`)
    } catch (error) {
      console.error(`\n${(error as Error).message}`)
      process.exitCode = 1
    }
  }
}

function figures(of: Record<string, number | string>): string {
  return Object.entries(of)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en') : value}`)
    .join(', ')
}
