import { parseArgs } from 'node:util'
import type { Fault } from '../tests/faults/fault.ts'
import { faultsOf, missingFor } from '../tests/faults/faults.ts'
import { runFault } from '../tests/faults/run.ts'
import { type StoreKind, storeKinds } from '../tests/store-kind.ts'

const list = [...new Set(storeKinds.flatMap(faultsOf))]
  .map(({ id, title, only }) => `  ${id.padEnd(4)} ${title}${only ? ` (--store ${only})` : ''}`)
  .join('\n')
const help = `npm run faults -- [F1 …] [options]

Breaks a running Veritas in every way that is listed, at length, and compares what clients were promised with what is
stored: nothing missing, nothing twice, nothing nobody sent, every total equal to a recount of the rows. Without a name
all of them run. npm test runs the same in short; docs/faults.md has the measured figures.

${list}

Options
  --store S    sqlite (default), or mongo: the mongod that MONGOMS_SYSTEM_BINARY names, else its stand-in
  --seed N     the same run again (default: a new one, printed)
  --rounds N   kills, reloads or resends instead of the fault's own number
  --short      as short as in npm test
  --help       this text`

const { values, positionals } = options()

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        store: { type: 'string', default: 'sqlite' },
        seed: { type: 'string' },
        rounds: { type: 'string' },
        short: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return misused(`${(error as Error).message} See npm run faults -- --help.`)
  }
}

function misused(why: string): never {
  console.error(why)
  process.exit(2)
}

function whole(name: 'seed' | 'rounds', most: number): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (number > 0 && number <= most) return number
  return misused(`--${name} takes a whole number from 1 to ${most}.`)
}

function chosenStore(): StoreKind {
  return storeKinds.find((kind) => kind === values.store) ?? misused(`--store takes ${storeKinds.join(' or ')}.`)
}

function chosen(store: StoreKind): readonly Fault[] {
  const all = faultsOf(store)
  const names = positionals.map((name) => name.toUpperCase())
  const unknown = names.find((name) => !all.some(({ id }) => id === name))
  if (unknown !== undefined)
    return misused(`${unknown} is none of ${[...new Set(all.map(({ id }) => id))].join(', ')} with --store ${store}.`)
  return names.length === 0 ? all : all.filter(({ id }) => names.includes(id))
}

async function runAll(): Promise<void> {
  const store = chosenStore()
  const seed = whole('seed', 2 ** 31) ?? 1 + Math.floor(Math.random() * 2 ** 31)
  const rounds = whole('rounds', 100_000)
  const faults = chosen(store)
  console.log(`Seed ${seed}, store ${store}`)
  for (const fault of faults) {
    const need = missingFor(fault, store)
    if (need) {
      console.log(`${fault.id}: skipped (${need.missing})`)
      continue
    }
    const started = Date.now()
    const size = values.short ? fault.short : fault.long
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

if (values.help) console.log(help)
else {
  await runAll()
  process.exit()
}
