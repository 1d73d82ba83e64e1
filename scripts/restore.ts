import { parseArgs } from 'node:util'
import { restoreBackup } from '../server/backup/restore.ts'
import { AppError } from '../server/errors.ts'
import { openDestination, splitPlace } from '../server/export/open.ts'
import { command, settings } from './open.ts'
import { createOptionCheck } from './options.ts'
import { counted, print } from './print.ts'

const help = {
  about: `npm run restore -- --from FILE | s3://BUCKET/KEY --into DATA_DIR | STORE_URL [--force]

Puts a backup back. Stop the server first. All of the backup is checked before anything is touched; a damaged one, one
of a newer Veritas and a place that is not empty are refused. Then start the server as before: it stores what waited.

Options
  --from FILE      what npm run backup wrote
  --into PLACE     a data folder; or sqlite:PATH or mongodb://… for the store, with the rest in DATA_DIR
  --data-dir PATH  the data folder with --into STORE_URL; DATA_DIR unless given
  --force          put what is there aside, into a folder before-restore-…; a MongoDB database is emptied
  --help           this text`,
  examples: ['npm run restore -- --from veritas-2026-11-23T020000Z.tar.gz --into /var/lib/veritas'],
  exits: {
    0: 'all of it is there',
    1: 'nothing was put back: a line says why',
    2: 'a wrong option or setting, or a damaged backup: a line says which',
  },
} as const

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      into: { type: 'string' },
      'data-dir': { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  })
  const { from, into, force } = values
  const check = createOptionCheck()
  if (!from) check.refuse('--from: say which backup.')
  if (!into) check.refuse('--into: say where to: a data folder, sqlite:PATH or mongodb://…')
  check.assertRight()
  if (!from || !into) return
  const isStore = /^(sqlite:|mongodb(\+srv)?:\/\/)/.test(into)
  if (!isStore && /^[a-z0-9+.-]+:\/\//i.test(into))
    throw new AppError('invalid_input', `--into: ${into} is no data folder, sqlite:PATH or mongodb://…`)
  const config = settings(isStore ? values['data-dir'] : into, { STORE_URL: isStore ? into : '' })
  const [folder, key] = splitPlace(from)
  const source = await openDestination(folder, config.s3)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new AppError('unavailable', `Stopped by ${signal}.`)))
  try {
    const content = await source.read(key)
    if (!content) throw new AppError('not_found', `--from: there is no ${source.place}/${key}.`)
    const { dataDir, wal, mongoUrl, storePath } = config
    const parts = { dataDir, walDir: wal.dir, mongoUrl, storePath, force, now: Date.now }
    const manifest = await restoreBackup(parts, content, interrupted.signal)
    const events = manifest.counts.event_ids ?? 0
    const place = mongoUrl === null ? storePath : `the database, and ${dataDir}`
    print(`${counted(events, 'event')} as of ${manifest.begunAt} in ${place}`)
  } finally {
    source.close()
  }
}

await command(help, run)
