import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { runGate } from './bench/gate.ts'
import { benchIngest, ingestTargets } from './bench/ingest.ts'
import { benchMongo } from './bench/mongo-section.ts'
import { benchQueries } from './bench/queries.ts'
import { command } from './open.ts'

const help = {
  about: `npm run bench -- ingest|queries|mongo|gate [options]

Measures the built server on this machine, on loopback, with data in a temporary folder (npm run build comes first).

  ingest    what POST /events costs and holds, target by target, beside probes in the same run: a bare node:http, the
            log's disk, the same server without a log (about ten minutes); checks each time that the store holds
            exactly what was accepted
  queries   dashboard, user list and journey at 200,000 and at 2,000,000 events (about four minutes)
  mongo     what events cost on MongoDB beside a plain insertMany of the same rows, through the door too, and questions
            at 100,000 and at 1,000,000 events (about ten minutes). On the server at MONGODB_TEST_URI, else on the
            stand-in at MONGO_STAND_IN, which keeps everything in memory: 9 GB for the million
  gate      the ratios of ingest in short, with bounds (under a minute)

Prints a table; all but gate write theirs to bench/results/<name>.json.

Options
  --only P5,P8   targets of ingest: ${ingestTargets.join(' ')}
  --long         the soak (P10) for 30 minutes instead of one; questions to MongoDB at 1 and at 10 million events
  --quick        shorter windows and smaller stores: to see that it runs, not to quote; nothing is written
  --help         this text`,
  examples: ['npm run bench -- gate', 'npm run bench -- ingest --only P5,P8 --quick'],
  exits: {
    0: 'measured, and with gate within the bounds',
    1: 'a bound of gate was missed, or it failed: a line says why',
  },
} as const

const results = join(dirname(fileURLToPath(import.meta.url)), '../bench/results')

function save(name: string, result: object): void {
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  })
  const { quick, long } = values
  const [name] = positionals
  if (positionals.length === 1 && name === 'gate') {
    if (!(await runGate({ quick }))) process.exitCode = 1
  } else if (positionals.length === 1 && name === 'queries') {
    const result = await benchQueries({ quick })
    if (!quick) save('queries', result)
  } else if (positionals.length === 1 && name === 'mongo') {
    const parts = await benchMongo({ quick, long })
    if (!quick) for (const [part, result] of Object.entries(parts)) save(`mongo-${part}`, result)
  } else if (positionals.length === 1 && name === 'ingest') {
    const only = values.only?.split(',').map((target) => target.trim().toUpperCase())
    const unknown = only?.find((target) => !ingestTargets.some((known) => known === target))
    if (unknown !== undefined) throw new AppError('invalid_input', `${unknown} is none of ${ingestTargets.join(', ')}.`)
    const sections = await benchIngest({ quick, long, only })
    if (!quick) for (const [section, result] of Object.entries(sections)) save(`ingest-${section}`, result)
  } else throw new AppError('invalid_input', 'Say what to measure: npm run bench -- ingest, queries, mongo or gate')
})
