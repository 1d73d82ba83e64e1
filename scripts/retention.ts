import { parseArgs } from 'node:util'
import { firstKeptMonth, monthName } from '../server/analysis/months.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run retention -- [--months N] [--dry-run]

Drops the events of months that are over for longer than RETENTION_MONTHS, as the server does every night. Figures stay
(docs/numbers.md); journeys, exports and segments of those months are gone for good, and such events are refused from
then on. It may be stopped at any time and run again. The server may be running meanwhile.

Options
  --months N       whole months to keep beside the one that runs; RETENTION_MONTHS unless given
  --dry-run        tell what would be dropped, and drop nothing
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

await command(help, run, { badUsage: 2 })

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      months: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  const config = settings(values['data-dir'])
  const months = values.months === undefined ? config.retentionMonths : Number(values.months)
  if (!(Number.isInteger(months) && months >= 0))
    throw new AppError('invalid_input', '--months: a whole number, 0 for every month there is.')
  const first = firstKeptMonth(Date.now(), months)
  if (first === null) return console.log('Every month is kept (RETENTION_MONTHS=0).')
  const stopping = new AbortController()
  const stop = () => stopping.abort(new AppError('unavailable', 'Stopped. The same command goes on from here.'))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  await withStore(config, async (store) => {
    const old = (await store.eventMonths()).filter(({ month }) => month < first)
    const verb = values['dry-run'] ? 'would be dropped' : 'dropped'
    if (!values['dry-run']) await store.dropMonthsBefore(first, stopping.signal)
    for (const { month, events } of old) console.log(`${monthName(month)}\t${events} events ${verb}`)
    console.log(`Kept from ${monthName(first)} on; ${old.length} months ${verb}.`)
  })
}
