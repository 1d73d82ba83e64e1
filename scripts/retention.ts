import { parseArgs } from 'node:util'
import { firstKeptMonth, monthName } from '../server/analysis/months.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { counted, print } from './print.ts'

const help = {
  about: `npm run retention -- [--months N] [--dry-run]

Drops the events of months that are over for longer than RETENTION_MONTHS, as the server does every night. Figures stay
(docs/numbers.md); journeys, exports and segments of those months are gone for good, and such events are refused from
then on. It may be stopped at any time and run again. The server may be running meanwhile.

Options
  --months N       whole months to keep beside the one that runs, 0 for every one; RETENTION_MONTHS unless given
  --dry-run        tell what would be dropped, and drop nothing
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run retention -- --dry-run', 'npm run retention -- --months 13'],
  exits: { 0: 'what is older is gone, or was told with --dry-run', 1: 'it failed or was stopped: a line says why' },
} as const

/** The same maximum as for RETENTION_MONTHS. */
const MAX_MONTHS = 1200

await command(help, run)

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      months: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  const check = createOptionCheck()
  const wanted = check.whole('--months', values.months, { min: 0, max: MAX_MONTHS, otherwise: null })
  check.assertRight()
  const config = settings(values['data-dir'])
  const months = wanted ?? config.retentionMonths
  const first = firstKeptMonth(Date.now(), months)
  if (first === null) return print(`Every month is kept (${counted(months, 'month')}).`)
  const stopping = new AbortController()
  const stop = () => stopping.abort(new AppError('unavailable', 'Stopped. The same command goes on from here.'))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  await withStore(config, async (store) => {
    const old = (await store.eventMonths()).filter(({ month }) => month < first)
    const verb = values['dry-run'] ? 'would be dropped' : 'dropped'
    // Another process may be dropping months at the same time; only list those dropped here.
    const dropped = values['dry-run']
      ? old.map(({ month }) => month)
      : await store.dropMonthsBefore(first, stopping.signal)
    const events = new Map(old.map((row) => [row.month, row.events]))
    for (const month of dropped) print(monthName(month), `${counted(events.get(month) ?? 0, 'event')} ${verb}`)
    // A later first month from an earlier run stays: dropped months do not come back.
    const keptFrom = Math.max(first, (await store.keptFrom()) ?? 0)
    print(`Kept from ${monthName(keptFrom)} on; ${counted(dropped.length, 'month')} ${verb}.`)
  })
}
