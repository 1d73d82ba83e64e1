import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { dayOf } from '../server/analysis/zones.ts'
import { AppError } from '../server/errors.ts'
import { exportDay } from '../server/export/export-day.ts'
import { EXPORT_JOB } from '../server/export/job.ts'
import { openDestination } from '../server/export/open.ts'
import { createReadingWal } from '../server/ingest/wal/reading.ts'
import { systemClock } from '../server/jobs/clock.ts'
import { jobKey } from '../server/jobs/job.ts'
import { withLease } from '../server/jobs/lease.ts'
import { freshnessOf } from '../server/writer/freshness.ts'
import { day as calendarDay } from '../trpc/schema/common.ts'
import { command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { counted, print } from './print.ts'

const help = {
  about: `npm run export -- --day YYYY-MM-DD [--to URL] [--site SITE] [--force]

Writes the events and figures of one closed day, as the server does every day (docs/exports.md). A day that is there and
has not changed since stays as it is. The server may be running meanwhile.

Options
  --day DAY        in the time zone of the site
  --to URL         s3://BUCKET/PREFIX, file:/PATH or a path; EXPORT_URL unless given
  --site SITE      the shop (default)
  --force          write it again whatever is there
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: [
    'npm run export -- --day 2026-11-22 --to /var/exports',
    'npm run export -- --day 2026-11-22 --to s3://my-bucket/veritas --force',
  ],
  exits: { 0: 'the day is there' },
} as const

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      day: { type: 'string' },
      to: { type: 'string' },
      site: { type: 'string', default: 'default' },
      force: { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  const day = calendarDay.safeParse(values.day)
  const config = settings(values['data-dir'])
  const url = values.to ?? config.exports.url
  const check = createOptionCheck()
  if (!day.success) check.refuse('--day: a day such as 2026-11-22.')
  if (!url) check.refuse('--to: say where to, or set EXPORT_URL.')
  check.assertRight()
  if (!day.success || !url) return
  const destination = await openDestination(url, config.s3)
  const wal = createReadingWal(config.wal.dir, config.ingest.ackLevel)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new AppError('unavailable', `Stopped by ${signal}.`)))

  await withStore(config, async (store) => {
    const site = await store.site(values.site)
    if (!site) throw new AppError('not_found', `There is no site ${values.site}.`)
    if (day.data >= dayOf(site.timeZone, Date.now()))
      throw new AppError('invalid_input', `--day: ${day.data} has not ended yet in ${site.timeZone}.`)
    const parts = { store, destination, freshness: () => freshnessOf(wal, Date.now()), now: Date.now }
    const lease = {
      jobs: store.jobs,
      clock: systemClock,
      name: jobKey({ name: EXPORT_JOB, siteId: site.id }),
      owner: `export-${process.pid}-${randomUUID()}`,
      signal: interrupted.signal,
    }
    const done = await withLease(lease, async (signal) => {
      const when = values.force ? 'always' : 'needed'
      return { manifest: await exportDay(parts, { site, day: day.data, when, signal }) }
    })
    if (!done) throw new AppError('conflict', 'Another process is exporting now; try again when it is done.')
    const place = `${destination.place}/site=${encodeURIComponent(site.id)}/day=${day.data}`
    print(
      done.manifest
        ? `${counted(done.manifest.events, 'event')} of ${day.data} are at ${place}`
        : `${place} is up to date`,
    )
  })
  destination.close()
}

await command(help, run)
