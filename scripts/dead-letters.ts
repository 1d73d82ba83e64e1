import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { createConflicts } from '../server/writer/conflicts.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { assertDataDir, command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { complain, counted, print, printLines } from './print.ts'

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
  --limit N        how many to list, 1 to 100,000, oldest first (100)
  --after PLACE    list those after this one; a list that has more ends with its last place
  --all            with discard: every one
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

/** Letters that are read at once. */
const PAGE = 100
const MAX_LISTED = 100_000

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      limit: { type: 'string' },
      after: { type: 'string' },
      all: { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  const [verb, ...ids] = positionals
  if (!isCall(verb, ids, values.all))
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run dead-letters -- list | show ID | replay [ID …] | discard ID … | conflicts',
    )
  const check = createOptionCheck()
  const limit = check.whole('--limit', values.limit, { min: 1, max: MAX_LISTED, otherwise: 100 })
  check.assertRight()
  const config = settings(values['data-dir'])
  const dir = join(config.dataDir, 'dead-letters')
  assertDataDir(config)
  complain(`Dead letters: ${dir}`)
  const letters = createDeadLetters({ dir })
  if (verb === 'list') {
    let { after } = values
    let left = limit
    for (let page = await letters.list(Math.min(left, PAGE), after); page.length > 0; ) {
      for (const { id, at, reason, event } of page)
        print(id, new Date(at).toISOString(), event?.type ?? 'unreadable', event?.eventId ?? '', reason)
      left -= page.length
      after = page.at(-1)!.place
      page = left > 0 ? await letters.list(Math.min(left, PAGE), after) : []
    }
    if (left === 0 && after !== undefined && (await letters.list(1, after)).length > 0)
      print(`The next: --after ${after}`)
    print(counted(await letters.count(), 'dead letter'))
  } else if (verb === 'conflicts') {
    const conflicts = await createConflicts({ dir: join(config.dataDir, 'conflicts') }).list(limit)
    for (const { at, event } of conflicts) print(JSON.stringify({ at: new Date(at).toISOString(), event }))
  } else if (verb === 'show') {
    const letter = await letters.get(ids[0] ?? '')
    if (!letter) throw new AppError('not_found', `There is no dead letter ${ids[0]}.`)
    printLines(JSON.stringify(letter, null, 2))
  } else if (verb === 'replay') {
    const outcome = await withStore(config, (store) => letters.replay(store, ids.length > 0 ? ids : undefined))
    const { stored, duplicate, refused, failed, problem } = outcome
    print(`${stored} stored, ${duplicate} stored before, ${refused} refused again, ${failed} failed`)
    if (problem !== null) throw new AppError('unavailable', problem)
  } else {
    let discarded = await letters.discard(ids)
    if (values.all)
      for (let page = await letters.list(PAGE); page.length > 0; page = await letters.list(PAGE, page.at(-1)!.place))
        discarded += await letters.discard(page.map((letter) => letter.id))
    print(`${discarded} discarded`)
  }
})

function isCall(verb: string | undefined, ids: readonly string[], all: boolean): boolean {
  if (verb === 'list' || verb === 'conflicts') return ids.length === 0
  if (verb === 'show') return ids.length === 1
  return verb === 'replay' || (verb === 'discard' && (ids.length > 0 || all))
}
