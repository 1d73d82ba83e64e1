import { parseArgs } from 'node:util'
import type { Fault } from '../tests/faults/fault.ts'
import { faults } from '../tests/faults/faults.ts'
import { runFault } from '../tests/faults/run.ts'

const list = faults.map(({ id, title }) => `  ${id.padEnd(4)} ${title}`).join('\n')
const help = `npm run faults -- [F1 …] [options]

Breaks a running Veritas in every way that is listed, at length, and compares what clients were promised with what is
stored: nothing missing, nothing twice, nothing nobody sent, every total equal to a recount of the rows. Without a name
all of them run. npm test runs the same in short; docs/faults.md has the measured figures.

${list}

Options
  --seed N     the same run again (default: a new one, printed)
  --rounds N   kills, reloads or resends instead of the fault's own number
  --short      as short as in npm test
  --help       this text`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    rounds: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

function whole(name: 'seed' | 'rounds', most: number): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const number = Number(text)
  if (Number.isInteger(number) && number > 0 && number <= most) return number
  console.error(`--${name} takes a whole number from 1 to ${most}.`)
  process.exit(1)
}

function chosen(): readonly Fault[] {
  const unknown = positionals.find((name) => !named(name))
  if (unknown !== undefined) {
    console.error(`${unknown} is none of ${faults.map(({ id }) => id).join(', ')}.`)
    process.exit(1)
  }
  return positionals.length === 0
    ? faults
    : faults.filter(({ id }) => positionals.some((name) => named(name)?.id === id))
}

function named(name: string): Fault | undefined {
  return faults.find(({ id }) => id === name.toUpperCase())
}

async function runAll(): Promise<void> {
  const seed = whole('seed', 2 ** 31) ?? 1 + Math.floor(Math.random() * 2 ** 31)
  const rounds = whole('rounds', 100_000)
  console.log(`Seed ${seed}`)
  for (const fault of chosen()) {
    if (fault.needs?.missing) {
      console.log(`${fault.id}: skipped (${fault.needs.missing})`)
      continue
    }
    const started = Date.now()
    const size = values.short ? fault.short : fault.long
    const progress = (text: string) => {
      if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${fault.id}: ${text}`)
    }
    try {
      const report = await runFault(fault, { ...size, ...(rounds && { rounds }) }, seed, progress)
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
