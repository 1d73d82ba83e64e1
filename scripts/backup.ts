import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createBackup } from '../server/backup/create.ts'
import type { Config } from '../server/config.ts'
import { AppError } from '../server/errors.ts'
import { openDestination, splitPlace } from '../server/export/open.ts'
import { systemClock } from '../server/jobs/clock.ts'
import { withLease } from '../server/jobs/lease.ts'
import type { Store } from '../server/store/store.ts'
import { command, settings, withStore } from './open.ts'
import { counted, print } from './print.ts'

const help = {
  about: `npm run backup -- --to FILE.tar.gz | FOLDER | s3://BUCKET/PREFIX

Writes everything into one file: the store, what waits in the log, dead letters, the list of conflicts and the secret
that signs cookies. The server may be running meanwhile. It holds all that was promised before it began; it is there as a whole or not at all.
With a folder or prefix the file is named after the time: veritas-2026-11-23T020000Z.tar.gz. It holds a secret and
visitors' data: keep it as safe as the store.

Options
  --to PLACE       a file that ends in .tar.gz, a folder, or s3://… (settings S3_ENDPOINT, S3_REGION, S3_PATH_STYLE)
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run backup -- --to /var/backups/veritas', 'npm run backup -- --to s3://my-bucket/veritas'],
  exits: { 0: 'the backup is there', 1: 'there is none: a line says why' },
} as const

const JOB = 'backup'
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { to: { type: 'string' }, 'data-dir': { type: 'string' } } })
  if (!values.to) throw new AppError('invalid_input', '--to: say where to.')
  const config = settings(values['data-dir'])
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new AppError('unavailable', `Stopped by ${signal}.`)))
  const owner = `backup-${process.pid}-${randomUUID()}`
  const to = values.to
  await withStore(config, async (store) => {
    const lease = { jobs: store.jobs, clock: systemClock, name: JOB, owner, signal: interrupted.signal }
    const done = await withLease(lease, async (signal) => {
      try {
        const place = await backUp(config, store, to, signal)
        await store.jobs.note({ name: JOB, owner, note: { kind: 'succeeded', at: Date.now(), doneThrough: null } })
        return place
      } catch (error) {
        const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
        const note = { kind: 'failed', at: Date.now(), error: text, retryAt: 0 } as const
        await store.jobs.note({ name: JOB, owner, note }).catch(() => {})
        throw error
      }
    })
    if (!done) throw new AppError('conflict', 'Another backup is being made now; try again when it is done.')
    print(done)
  })
}

async function backUp(config: Config, store: Store, to: string, signal: AbortSignal): Promise<string> {
  const now = new Date()
  const name = `veritas-${now.toISOString().slice(0, 19).replaceAll(':', '')}Z.tar.gz`
  const [folder, key] = to.endsWith('.tar.gz') ? splitPlace(to) : [to, name]
  // Reading the figures first completes any update of them that was interrupted.
  await store.overview({ siteId: 'default', from: '2000-01-01', to: '2000-01-01' })
  const destination = await openDestination(folder, config.s3)
  try {
    const manifest = await createBackup(
      {
        dataDir: config.dataDir,
        walDir: config.wal.dir,
        mongoUrl: config.mongoUrl,
        storePath: config.storePath,
        version,
        now: Date.now,
      },
      { destination, key, signal },
    )
    const bytes = (await destination.bytes(key)) ?? 0
    const events = manifest.counts.event_ids ?? 0
    return `${destination.place}/${key}: ${counted(events, 'event')}, ${counted(manifest.files.length, 'file')}, ${(bytes / 2 ** 20).toFixed(1)} MiB`
  } finally {
    destination.close()
  }
}

await command(help, run)
