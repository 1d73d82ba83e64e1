import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { type ProcessFigures, readFigures } from '../server/telemetry/metrics/board.ts'
import { createConflicts } from '../server/writer/conflicts.ts'
import { createDeadLetters, type DeadLetters } from '../server/writer/dead-letters.ts'
import { giveUp } from '../server/writer/given-up.ts'
import type { Doubted } from '../server/writer/proofs.ts'
import { eventTypeNames } from '../trpc/schema/event-types.ts'
import { assertDataDir, command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { complain, counted, print, printLines } from './print.ts'

const help = {
  about: `npm run dead-letters -- list [--limit N] [--after PLACE]
npm run dead-letters -- show ID
npm run dead-letters -- replay [ID …]
npm run dead-letters -- discard ID … | --all
npm run dead-letters -- conflicts [--limit N]
npm run dead-letters -- waiting
npm run dead-letters -- give-up TYPE … | --all

Accepted events that the store would not take, each with its reason. replay (without ids: all) stores those it can, each
once however often it is repeated; discard forgets for good. A server may be running meanwhile.

conflicts shows the last events that came under an eventId which another event has, and so were not stored: a line of JSON
each, the newest last.

waiting shows which types of events fail in the store like all others of their type and month, so that nobody knows whether
they or the store are at fault: they wait in the log, and /health is degraded. give-up makes dead letters of those of
such types that were accepted until now and fail once more; of a request with others that wait as well, together with these.

Options
  --limit N        how many to list, 1 to 100,000, oldest first (100)
  --after PLACE    list those after this one; a list that has more ends with its last place
  --all            with discard: every one; with give-up: every type that waiting shows
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run dead-letters -- list --limit 20', 'npm run dead-letters -- replay'],
  exits: { 0: 'done; what the store refused again stays a dead letter' },
} as const

/** Dead letters read at a time. */
const PAGE = 100
const MAX_LISTED = 100_000
/** How long to wait for the servers, which check for given-up types every second and report every other second. */
const PATIENCE_MS = 60_000
const LOOK_MS = 1000

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
      'Say what to do: npm run dead-letters -- list | show ID | replay [ID …] | discard ID … | conflicts | waiting | give-up TYPE …',
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
  } else if (verb === 'waiting') {
    for (const { type, month, reason } of await doubtedOf(config.dataDir)) print(type, month, reason)
  } else if (verb === 'give-up') {
    await giveUpTypes(config.dataDir, values.all ? null : ids, letters)
  } else {
    let discarded = await letters.discard(ids)
    if (values.all)
      for (let page = await letters.list(PAGE); page.length > 0; page = await letters.list(PAGE, page.at(-1)!.place))
        discarded += await letters.discard(page.map((letter) => letter.id))
    print(`${discarded} discarded`)
  }
})

function isCall(verb: string | undefined, ids: readonly string[], all: boolean): boolean {
  if (verb === 'list' || verb === 'conflicts' || verb === 'waiting') return ids.length === 0
  if (verb === 'show') return ids.length === 1
  if (verb === 'give-up') return ids.length > 0 !== all
  return verb === 'replay' || (verb === 'discard' && (ids.length > 0 || all))
}

async function serversOf(dataDir: string): Promise<ProcessFigures[]> {
  const told = await readFigures(join(dataDir, 'processes'), Date.now())
  return told.filter(({ role }) => role !== 'web')
}

async function doubtedOf(dataDir: string): Promise<Doubted[]> {
  const servers = await serversOf(dataDir)
  if (servers.length === 0)
    throw new AppError('not_found', `No server that takes events runs on ${dataDir}: only a running one knows.`)
  return servers.flatMap(({ doubted }) => doubted)
}

/** Gives up events in doubt of these types (null: all such types) and waits until the servers have done so. */
async function giveUpTypes(dataDir: string, wanted: readonly string[] | null, letters: DeadLetters): Promise<void> {
  const unknown = wanted?.find((type) => !eventTypeNames.some((name) => name === type))
  if (unknown !== undefined)
    throw new AppError('invalid_input', `${unknown} is no type of events: ${eventTypeNames.join(', ')}`)
  const waiting = new Set((await doubtedOf(dataDir)).map(({ type }) => type))
  const types = wanted ?? [...waiting]
  const calm = types.find((type) => !waiting.has(type))
  if (calm !== undefined || types.length === 0)
    throw new AppError(
      'not_found',
      `No event${calm === undefined ? '' : ` of type ${calm}`} is in doubt here: npm run dead-letters -- waiting shows those that are.`,
    )
  const before = await letters.count()
  for (const type of new Set(types)) await giveUp(join(dataDir, 'given-up'), type, Date.now())
  const deadline = performance.now() + PATIENCE_MS
  const isOver = async () => {
    // A server that has ended gives them up after its next start, so it is not waited for.
    const servers = await serversOf(dataDir)
    return servers.every(({ doubted }) => !doubted.some(({ type }) => types.includes(type)))
  }
  while (!(await isOver())) {
    if (performance.now() > deadline) {
      print(`The server is not done with it yet: npm run dead-letters -- waiting shows what is left.`)
      return
    }
    await sleep(LOOK_MS)
  }
  // Open the letters anew: `letters` still has the count from before.
  const after = await createDeadLetters({ dir: join(dataDir, 'dead-letters') }).count()
  print(`${counted(after, 'dead letter')}, ${before} before`)
}
