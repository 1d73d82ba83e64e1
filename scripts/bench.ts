import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { benchIngest } from './bench/ingest.ts'
import { benchQueries } from './bench/queries.ts'
import { command } from './open.ts'

const help = `npm run bench -- ingest|queries [options]

Measures the built server on this machine, on loopback, with data in a temporary folder (npm run build comes first).

  ingest    CPU per request and requests per second of single and 100-event posts, beside a bare node:http server in
            the same run; then checks that the store holds exactly what was accepted (about a minute)
  queries   dashboard, user list and journey at 200,000 and at 2,000,000 events (about four minutes)

Prints a table and writes it to bench/results/<name>.json.

Options
  --quick   shorter windows and smaller stores: to see that it runs, not to quote
  --help    this text`

const benches = { ingest: benchIngest, queries: benchQueries }
const results = join(dirname(fileURLToPath(import.meta.url)), '../bench/results')

await command(help, async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean' } } })
  const [name] = positionals
  if (positionals.length !== 1 || !(name === 'ingest' || name === 'queries'))
    throw new AppError('invalid_input', 'Say what to measure: npm run bench -- ingest, or npm run bench -- queries')
  const result = await benches[name]({ quick: values.quick ?? false })
  mkdirSync(results, { recursive: true })
  const file = join(results, `${name}.json`)
  if (!values.quick) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
})
