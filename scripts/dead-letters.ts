import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run dead-letters -- list [--limit N]
npm run dead-letters -- show ID
npm run dead-letters -- replay [ID …]
npm run dead-letters -- discard ID … | --all

Accepted events that the store would not take, each with its reason. replay (without ids: all) stores those it can, each
once however often it is repeated; discard forgets for good. A server may be running meanwhile.

Options
  --limit N        how many to list, oldest first (100)
  --all            with discard: every one
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      limit: { type: 'string', default: '100' },
      all: { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  const config = settings(values['data-dir'])
  const letters = createDeadLetters({ dir: join(config.dataDir, 'dead-letters') })
  const [verb, ...ids] = positionals
  if (verb === 'list') {
    const limit = Number(values.limit)
    if (!(Number.isInteger(limit) && limit > 0)) throw new AppError('invalid_input', '--limit: a whole number above 0.')
    for (const { id, at, reason, event } of await letters.list(limit))
      console.log(
        [id, new Date(at).toISOString(), event?.type ?? 'unreadable', event?.eventId ?? '', reason].join('\t'),
      )
    console.log(`${await letters.count()} dead letters`)
  } else if (verb === 'show' && ids.length === 1) {
    const letter = await letters.get(ids[0] ?? '')
    if (!letter) throw new AppError('not_found', `There is no dead letter ${ids[0]}.`)
    console.log(JSON.stringify(letter, null, 2))
  } else if (verb === 'replay') {
    const outcome = await withStore(config, (store) => letters.replay(store, ids.length > 0 ? ids : undefined))
    console.log(`${outcome.stored} stored, ${outcome.duplicate} stored before, ${outcome.refused} refused again`)
  } else if (verb === 'discard' && (ids.length > 0 || values.all)) {
    const wanted = values.all ? (await letters.list(Number.MAX_SAFE_INTEGER)).map((letter) => letter.id) : ids
    console.log(`${await letters.discard(wanted)} discarded`)
  } else
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run dead-letters -- list | show ID | replay [ID …] | discard ID …',
    )
})
