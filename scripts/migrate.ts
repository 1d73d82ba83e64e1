import { appendFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { monthName } from '../server/analysis/months.ts'
import { createProgress } from '../server/demo/progress.ts'
import { AppError } from '../server/errors.ts'
import { isThere } from '../server/start/folders.ts'
import { moveStore } from '../server/store/move/move.ts'
import type { Receipt } from '../server/store/move/receipt.ts'
import { openStore } from '../server/store/open.ts'
import type { Store } from '../server/store/store.ts'
import { assertNoServer } from './living-server.ts'
import { addressWithoutLogin, command } from './open.ts'
import { counted, print } from './print.ts'

const help = {
  about: `npm run migrate -- --from ADDRESS --to ADDRESS [--receipt FILE]

Copies a store into an empty one, from any engine to any: events, sites, accounts, logins, invitations, tokens, write
keys and the state of jobs. Stop the server first: one that runs on either store is refused. A move that is stopped or killed goes on when the same command is run
again. At the end both sides are counted event by event and figure by figure.
Then start the server with STORE_URL set to the new address. Dead letters and the log stay where they are, in DATA_DIR.
The target works its figures out anew from the events; where the source has dropped old months, it gets copies of them.

Options
  --from ADDRESS   the source: sqlite:PATH, mongodb://… or mongodb+srv://…
  --to ADDRESS     the target, in the same form; it must be empty or the rest of the same move
  --receipt FILE   every number of both sides as JSON, by day, type and currency
  --help           this text`,
  examples: ['npm run migrate -- --from sqlite:data/veritas.db --to mongodb://127.0.0.1:27017/veritas'],
  exits: {
    0: 'copied, and all numbers of both sides are equal',
    1: 'they are not, or it failed or was stopped: a line says why',
  },
} as const

await command(help, run)

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: { from: { type: 'string' }, to: { type: 'string' }, receipt: { type: 'string' } },
  })
  if (!values.from || !values.to)
    throw new AppError(
      'invalid_input',
      'Say from where to where: npm run migrate -- --from sqlite:PATH --to mongodb://…',
    )
  const [source, target] = [addressOf('from', values.from), addressOf('to', values.to)]
  if (source.name === target.name) throw new AppError('invalid_input', '--to: the target is the source.')
  if (source.storePath && !isThere(source.storePath))
    throw new AppError('not_found', `--from: there is no store at ${source.storePath}.`)
  if (values.receipt !== undefined) assertWritable(values.receipt)
  const stopping = new AbortController()
  const stop = () => stopping.abort(new AppError('unavailable', 'Stopped. The same command goes on from here.'))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const from = await open(source)
  try {
    await assertNoServer('from', source.name, from, source.storePath)
    const to = await open(target)
    try {
      await assertNoServer('to', target.name, to, target.storePath)
      await move(from, to, source.name, target.name, stopping.signal, values.receipt)
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

async function move(
  from: Store,
  to: Store,
  source: string,
  target: string,
  signal: AbortSignal,
  file: string | undefined,
): Promise<void> {
  const tell = {
    moving: createProgress('Moved', 'events'),
    counting: createProgress('Counted on both sides', 'events'),
  }
  const receipt = await moveStore({
    ...{ from, to, source, signal },
    tell: (step, events, total) => tell[step](events, Math.max(total, 1)),
  })
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(receipt, null, 1)}\n`)
  printReceipt(receipt, source, target)
  if (!receipt.isEqual) throw new AppError('conflict', 'The two sides differ: do not use the target.')
}

/** Throws AppError invalid_input now rather than after hours of work. */
function assertWritable(file: string): void {
  try {
    appendFileSync(file, '')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new AppError('invalid_input', `--receipt: ${file} cannot be written: ${reason}`, { cause })
  }
}

/** Prints the numbers of rows on both sides; for each site only the numbers that differ, and how many were compared. */
function printReceipt({ sites, rows, keptFrom }: Receipt, source: string, target: string): void {
  print(`Receipt: ${source} and ${target}`)
  for (const { kind, source, target, different } of rows)
    print(line(kind, source, target) + (different > 0 ? `, ${different} not alike` : ''))
  if (keptFrom !== null)
    print(`Events from before ${monthName(keptFrom)} were dropped at the source: its figures are copied as they are.`)
  for (const { siteId, numbers } of sites) {
    print(`site ${siteId}: ${counted(numbers.length, 'number')} compared`)
    const sums = new Map<string, [bigint, bigint]>()
    for (const { name, source, target } of numbers) {
      const [what = '', , of = ''] = name.split(' ')
      if (!['events', 'purchases', 'revenue'].includes(what)) continue
      const sum = sums.get(`${what} ${of}`) ?? [0n, 0n]
      sums.set(`${what} ${of}`, [sum[0] + BigInt(source), sum[1] + BigInt(target)])
    }
    for (const [name, [source, target]] of [...sums].sort()) print(line(`  ${name.trim() || 'events'}`, source, target))
    for (const { name, source, target } of numbers) if (source !== target) print(line(`  ${name}`, source, target))
  }
}

function line(name: string, source: number | bigint | string, target: number | bigint | string): string {
  return `${name.padEnd(32)} ${source}${source === target ? ' = ' : ' ≠ '}${target}`
}

interface Address {
  /** The address without its password. */
  name: string
  mongoUrl: string | null
  storePath: string
}

function addressOf(option: string, text: string): Address {
  if (text.startsWith('sqlite:') && text.length > 'sqlite:'.length) {
    const storePath = resolve(text.slice('sqlite:'.length))
    return { name: `sqlite:${storePath}`, mongoUrl: null, storePath }
  }
  if (!/^mongodb(\+srv)?:\/\/./.test(text))
    // Only show the scheme: the rest may contain a password.
    throw new AppError(
      'invalid_input',
      `--${option}: sqlite:PATH, mongodb://… or mongodb+srv://…, not ${text.replace(/:.*$/s, ':…')}`,
    )
  return { name: addressWithoutLogin(text), mongoUrl: text, storePath: '' }
}

function open({ mongoUrl, storePath }: Address): Promise<Store> {
  return openStore({ mongoUrl, storePath, storeReaders: 1 })
}
