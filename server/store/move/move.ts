import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.ts'
import type { Store } from '../store.ts'
import { figurePages } from './figures.ts'
import { assertMoved, type MoveMark, readMark, saveMark } from './mark.ts'
import { type Receipt, writeReceipt } from './receipt.ts'
import { allRows, movedKinds, moveRows } from './rows.ts'

export interface MoveOptions {
  from: Store
  to: Store
  /** Tells the source from others, in words for people; without a password. */
  source: string
  /** How far it is: events of `total`, twice that many while they are counted. */
  tell: (step: 'moving' | 'counting', events: number, total: number) => void
  signal?: AbortSignal
  /** How long the source must not change before the move begins. */
  watchMs?: number
}

const WATCH_MS = 2000
/** Batches on their way to the target at once. */
const AT_ONCE = 3

/**
 * Copies a store into an empty one, whatever their engines. Batches are named by the place that their events have in the
 * source, so that a move that was killed goes on where its mark says, and what it had done beyond is done again without
 * effect. Throws AppError conflict when the source or target is not fit for it, or when the source changed meanwhile;
 * run again, the move brings what has come since.
 */
export async function moveStore(options: MoveOptions): Promise<Receipt> {
  const { from, to, source, tell, signal, watchMs = WATCH_MS } = options
  await assertMoved(from)
  const written = await stillState(from, watchMs)
  const keptFrom = await from.keptFrom()
  let mark = await markOf(to, source, written)
  // In every run: they are few, and no state tells when somebody has changed one.
  await moveRows(from, to)
  if (mark.phase === 'rows') {
    // The target is to refuse what the source does.
    if (keptFrom !== null) await to.dropMonthsBefore(keptFrom, signal)
    mark = { ...mark, phase: 'events' }
    await saveMark(to, mark)
  }
  if (mark.phase === 'events') mark = await moveEvents(options, mark, keptFrom === null ? 'receipt' : 'figures')
  if (mark.phase === 'figures') mark = await moveFigures(options, mark)
  const total = mark.events
  const receipt = await writeReceipt(from, to, (events) => tell('counting', events, 2 * total), signal)
  if ((await writtenState(from)).written !== written)
    throw new AppError(
      'conflict',
      'The source was written to during the move. Stop its server and run the same command again: only what is new is moved then.',
    )
  if (receipt.isEqual) await saveMark(to, { ...mark, phase: 'done' })
  return receipt
}

/** The state of a source that nobody writes to. */
async function stillState(from: Store, watchMs: number): Promise<string> {
  const before = await writtenState(from)
  await sleep(watchMs)
  const after = await writtenState(from)
  if (before.written !== after.written)
    throw new AppError('conflict', 'The source is being written to: stop its server first.')
  if (after.unfinished > 0)
    throw new AppError(
      'conflict',
      `The source has ${after.unfinished} batches that were begun and not finished. Start its server until nothing waits, and stop it.`,
    )
  return after.written
}

/** Dropping old months changes a store too. */
async function writtenState(from: Store): Promise<{ written: string; unfinished: number }> {
  const { written, unfinished } = await from.moving.state()
  const keptFrom = await from.keptFrom()
  return { written: keptFrom === null ? written : `${written} kept from ${keptFrom}`, unfinished }
}

async function markOf(to: Store, source: string, written: string): Promise<MoveMark> {
  const mark = await readMark(to)
  const begun = { phase: 'rows', siteId: null, place: null, events: 0 } as const
  if (!mark) {
    for (const kind of movedKinds)
      if ((await to.moving.rows(kind, null)).length > 0)
        throw new AppError('conflict', `The target is not empty: it has ${kind}. Choose another, or make it empty.`)
    const first = { id: randomUUID(), source, pass: 1, written, ...begun }
    await saveMark(to, first)
    return first
  }
  if (mark.phase === 'done')
    throw new AppError('conflict', `The move from ${mark.source} into this target is finished; nothing is to be done.`)
  if (mark.source !== source)
    throw new AppError(
      'conflict',
      `The target has a part of a move from ${mark.source}. Finish that, or make it empty.`,
    )
  if (mark.written === written) return mark
  const next = { ...mark, pass: mark.pass + 1, written, ...begun }
  await saveMark(to, next)
  return next
}

async function moveEvents(
  { from, to, tell, signal }: MoveOptions,
  begun: MoveMark,
  phase: MoveMark['phase'],
): Promise<MoveMark> {
  const sites = await allRows(from, 'sites')
  let total = 0
  for (const { id } of sites) total += (await from.totals(id)).events
  let mark = begun
  const reached = mark.siteId === null ? 0 : sites.findIndex(({ id }) => id === mark.siteId)
  for (const { id: siteId } of sites.slice(Math.max(0, reached))) {
    let place = siteId === mark.siteId ? mark.place : null
    const running: Promise<{ place: string | null; events: number }>[] = []
    for (let isMore = true; isMore || running.length > 0; ) {
      signal?.throwIfAborted()
      if (isMore && running.length < AT_ONCE) {
        const { events, next } = await from.moving.events(siteId, place)
        const batch = { id: `move ${mark.id} ${mark.pass} ${siteId} ${place ?? ''}`, events }
        const stored = to.insertBatch(batch).then(({ refused, reasons }) => {
          if (refused > 0) throw new AppError('internal', `The target refused events: ${Object.values(reasons)[0]}`)
          return { place: next, events: events.length }
        })
        // Waited for in its turn.
        stored.catch(() => {})
        running.push(stored)
        place = next
        isMore = next !== null
        continue
      }
      const step = await running.shift()!
      mark = { ...mark, siteId, place: step.place, events: mark.events + step.events }
      // At a site's end the next begins at its beginning.
      if (mark.place !== null) await saveMark(to, mark)
      tell('moving', mark.events, total)
    }
  }
  const moved: MoveMark = { ...mark, phase, siteId: null, place: null }
  await saveMark(to, moved)
  return moved
}

/**
 * Of a source that has dropped events: the target has worked its figures out from those that are left, and now gets the
 * source's in their place.
 */
async function moveFigures({ from, to, signal }: MoveOptions, begun: MoveMark): Promise<MoveMark> {
  const sites = await allRows(from, 'sites')
  let mark = begun
  const reached = mark.siteId === null ? 0 : sites.findIndex(({ id }) => id === mark.siteId)
  for (const { id: siteId } of sites.slice(Math.max(0, reached))) {
    const start = siteId === mark.siteId ? mark.place : null
    for await (const { rows, next } of figurePages(from, siteId, start)) {
      signal?.throwIfAborted()
      await to.moving.putFigures(siteId, rows)
      mark = { ...mark, siteId, place: next }
      // At a site's end the next begins at its beginning.
      if (next !== null) await saveMark(to, mark)
    }
  }
  const moved: MoveMark = { ...mark, phase: 'receipt', siteId: null, place: null }
  await saveMark(to, moved)
  return moved
}
