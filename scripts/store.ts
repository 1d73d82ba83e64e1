import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Config } from '../server/config.ts'
import { AppError } from '../server/errors.ts'
import { isThere } from '../server/start/folders.ts'
import { mongoState, putBackMongo } from '../server/store/mongo/way-back.ts'
import { openStore } from '../server/store/open.ts'
import { copyForTrial } from '../server/store/sqlite/copies.ts'
import { putBackSqlite, sqliteState } from '../server/store/sqlite/way-back.ts'
import type { KeepEvents, StoreState } from '../server/store/steps.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { command, settings, storeName } from './open.ts'
import { complain, counted, print, printLines } from './print.ts'

const help = {
  about: `npm run store -- status | prepare | put-back [options]

The format of the store. A newer Veritas brings it on by steps. After steps that only add, the release before works on it
as before. Before one that changes what is there a copy is kept, for a month: beside the file (veritas.db.before-N), or in
the database (before_N_NAME).

  status     its format, what this version would do to it, and the copy that is kept
  prepare    does those steps now instead of at the next start; for one that changes, end every server first
  put-back   puts the copy in the place of the store, which is put aside (SQLite); end every server first. Events that
             were stored since then become dead letters in DATA_DIR, for the release before to replay
  copy       writes a copy of a SQLite store into the folder of --to, for a trial of this version

Options
  --data-dir PATH  DATA_DIR unless given
  --to FOLDER      with copy
  --json           one line of JSON
  --help           this text`,
  examples: ['npm run store -- status --json', 'npm run store -- copy --to /tmp/trial'],
} as const

const needs = {
  nothing: 'this version has nothing to do',
  adds: 'this version adds to it',
  changes: 'this version changes it, and keeps a copy first',
  newer: 'this version is too old for it',
}

await command(help, run)

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'data-dir': { type: 'string' }, to: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  const config = settings(values['data-dir'])
  const { mongoUrl, storePath } = config
  const verb = positionals.length === 1 ? positionals[0] : undefined
  complain(`Store: ${storeName(config)}`)
  if (verb === 'status') {
    const state = await stateOf(mongoUrl, storePath)
    printLines(values.json ? JSON.stringify(state) : describe(state))
  } else if (verb === 'prepare') {
    let toldAt = 0
    const store = await openStore(config, undefined, ({ step, done, of }) => {
      if (done < of && Date.now() - toldAt < 1000) return
      toldAt = Date.now()
      print(`${step}: ${done} of ${of}`)
    })
    try {
      // Opening succeeds even if the database is unreachable, so ping it.
      await store.ping()
    } finally {
      await store.close()
    }
    printLines(describe(await stateOf(mongoUrl, storePath)))
  } else if (verb === 'put-back') {
    await putBack(config)
  } else if (verb === 'copy') {
    if (values.to === undefined) throw new AppError('invalid_input', '--to: name the folder of the copy.')
    if (mongoUrl !== null) throw new AppError('invalid_input', 'copy: only a SQLite store is copied.')
    mkdirSync(values.to, { recursive: true, mode: 0o700 })
    await copyForTrial(storePath, join(values.to, 'veritas.db'))
  } else throw new AppError('invalid_input', 'Say what to do: npm run store -- status | prepare | put-back | copy')
}

async function stateOf(mongoUrl: string | null, storePath: string): Promise<StoreState & { engine: string }> {
  if (mongoUrl !== null) return { engine: 'mongo', ...(await mongoState(mongoUrl)) }
  if (!isThere(storePath))
    throw new AppError('not_found', `There is no store at ${storePath}. Start the server once, or set DATA_DIR.`)
  return { engine: 'sqlite', ...(await sqliteState(storePath)) }
}

/** Restores the store's copy. Events stored since become dead letters, which the previous release can replay. */
async function putBack({ dataDir, mongoUrl, storePath }: Config): Promise<void> {
  const letters = createDeadLetters({ dir: join(dataDir, 'dead-letters') })
  let kept = 0
  const keep: KeepEvents = async (events) => {
    const reason = 'It was stored after the copy of the store that was put back.'
    await letters.add(events.map((event) => ({ at: Date.now(), reason, event })))
    kept += events.length
  }
  const { format, madeAt, aside } = await (mongoUrl === null
    ? putBackSqlite(storePath, keep)
    : putBackMongo(mongoUrl, keep))
  print(`The store is of format ${format} again, as of ${new Date(madeAt).toISOString()}.`)
  if (aside !== null) print(`The newer store is ${aside}.`)
  print(
    `Stored since then, and dead letters now: ${counted(kept, 'event')}. Start the release before, and there npm run dead-letters -- replay`,
  )
}

function describe({ format, oldestReader, known, need, copy }: StoreState): string {
  const lines = [
    `format    ${format}; versions that know ${oldestReader} can use it, this one knows ${known}: ${needs[need]}`,
  ]
  if (copy) lines.push(`copy      ${copy.at}, format ${copy.format}, of ${new Date(copy.madeAt).toISOString()}`)
  return lines.join('\n')
}
