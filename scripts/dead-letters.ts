import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { createConflicts } from '../server/writer/conflicts.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run dead-letters -- list [--limit N] [--after PLACE]
npm run dead-letters -- show ID
npm run dead-letters -- replay [ID …]
npm run dead-letters -- discard ID … | --all
npm run dead-letters -- conflicts [--limit N]

Accepted events that the store would not take, each with its reason. replay (without ids: all) stores those it can, each
once however often it is repeated; discard forgets for good. A server may be running meanwhile.

conflicts shows the last events that came under an eventId which another event has, and so were not stored: a line of JSON
each, the newest last.

Options
  --limit N        how many to list, oldest first (100)
  --after PLACE    list those after this one; a list that has more ends with its last place
  --all            with discard: every one
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

/** Letters that are read at once. */
const PAGE = 100

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      limit: { type: 'string', default: '100' },
      after: { type: 'string' },
      all: { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  const config = settings(values['data-dir'])
  const letters = createDeadLetters({ dir: join(config.dataDir, 'dead-letters') })
  const [verb, ...ids] = positionals
  if (verb === 'list') {
    const limit = limitOf(values.limit)
    let { after } = values
    let left = limit
    for (let page = await letters.list(Math.min(left, PAGE), after); page.length > 0; ) {
      for (const { id, at, reason, event } of page)
        console.log(
          [id, new Date(at).toISOString(), event?.type ?? 'unreadable', event?.eventId ?? '', reason].join('\t'),
        )
      left -= page.length
      after = page.at(-1)!.place
      page = left > 0 ? await letters.list(Math.min(left, PAGE), after) : []
    }
    if (left === 0 && after !== undefined && (await letters.list(1, after)).length > 0)
      console.log(`The next: --after ${after}`)
    console.log(`${await letters.count()} dead letters`)
  } else if (verb === 'conflicts' && ids.length === 0) {
    const conflicts = await createConflicts({ dir: join(config.dataDir, 'conflicts') }).list(limitOf(values.limit))
    for (const { at, event } of conflicts) console.log(JSON.stringify({ at: new Date(at).toISOString(), event }))
  } else if (verb === 'show' && ids.length === 1) {
    const letter = await letters.get(ids[0] ?? '')
    if (!letter) throw new AppError('not_found', `There is no dead letter ${ids[0]}.`)
    console.log(JSON.stringify(letter, null, 2))
  } else if (verb === 'replay') {
    const outcome = await withStore(config, (store) => letters.replay(store, ids.length > 0 ? ids : undefined))
    const { stored, duplicate, refused, failed, problem } = outcome
    console.log(`${stored} stored, ${duplicate} stored before, ${refused} refused again, ${failed} failed`)
    if (problem !== null) throw new AppError('unavailable', problem)
  } else if (verb === 'discard' && (ids.length > 0 || values.all)) {
    let discarded = await letters.discard(ids)
    if (values.all)
      for (let page = await letters.list(PAGE); page.length > 0; page = await letters.list(PAGE, page.at(-1)!.place))
        discarded += await letters.discard(page.map((letter) => letter.id))
    console.log(`${discarded} discarded`)
  } else
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run dead-letters -- list | show ID | replay [ID …] | discard ID … | conflicts',
    )
})

function limitOf(text: string): number {
  const limit = Number(text)
  if (!(Number.isInteger(limit) && limit > 0 && limit <= 100_000))
    throw new AppError('invalid_input', '--limit: a whole number from 1 to 100,000.')
  return limit
}
