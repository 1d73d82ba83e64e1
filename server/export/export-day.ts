import { createHash } from 'node:crypto'
import type { Freshness, Site } from '../../trpc/schema/common.ts'
import { addDays, dayStart } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import type { EventKeeping, EventReading, TimeRange } from '../store/store.ts'
import { joined, type Measure, measured, once, zipped } from './content.ts'
import { type Cut, cutsOf } from './cut.ts'
import { type Destination, readText } from './destination.ts'
import { eventLine } from './event-line.ts'
import { type DayFigures, dayFigures, digest } from './figures.ts'
import { type ExportedFile, FORMAT, type Manifest, parseManifest } from './manifest.ts'

export interface ExportParts {
  store: Pick<EventReading, 'overview' | 'hours' | 'scanEvents'> & Partial<Pick<EventKeeping, 'keptFrom'>>
  destination: Destination
  /** To which moment the store holds everything accepted. */
  freshness: () => Freshness
  now: () => number
}

export interface DayExport {
  site: Site
  /** YYYY-MM-DD in the site's zone; AppError invalid_input for one that has not ended. */
  day: string
  /**
   * needed: unless the same is there already. changed: only in place of one that differs, or that was begun and never
   * finished. always: whatever is there.
   */
  when: 'needed' | 'changed' | 'always'
  signal: AbortSignal
}

const EVENTS = 'events.ndjson.gz'
const FIGURES = 'figures.json'
const MANIFEST = 'manifest.json'
/** Late events of the very day may come in while it is read. */
const TRIES = 3

/**
 * Writes a day's events and figures and then, last, its manifest, always under the same keys: whoever waits for the
 * manifest sees a whole export or none. Null when there was nothing to do. AppError conflict when the store does not
 * have the events that its figures count any more, unavailable when they change too fast.
 */
export async function exportDay(parts: ExportParts, wanted: DayExport): Promise<Manifest | null> {
  const { store, destination, freshness, now } = parts
  const { site, day, when, signal } = wanted
  const range = { from: dayStart(site.timeZone, day), to: dayStart(site.timeZone, addDays(day, 1)) }
  if (range.to > now())
    throw new AppError('invalid_input', `${day} has not ended yet in ${site.timeZone}.`, { field: 'day' })
  const folder = `site=${encodeURIComponent(site.id)}/day=${day}`
  const manifestKey = `${folder}/${MANIFEST}`

  const before = parseManifest((await readText(destination, manifestKey, signal)) ?? '')
  if (when === 'changed' && !before && !(await isBegun(destination, folder, signal))) return null
  const figuresNow = () => dayFigures(store, site, day)
  if (when !== 'always' && before && (await isSame(wanted, destination, folder, before, await figuresNow())))
    return null
  await assertKept(store, day, range)

  // From here on until the new manifest nothing looks complete.
  await destination.remove(manifestKey, signal)
  await destination.tidy(folder, signal)
  for (let tries = 1; ; tries++) {
    // At last without relying on the clocks of others.
    const cuts = tries < TRIES ? await cutsOf(figuresNow, freshness, now, signal) : null
    const all: Cut = { receivedTo: Date.parse(freshness().completeTo), figures: await figuresNow() }
    const events = await writeEvents(parts, `${folder}/${EVENTS}`, wanted, range, cuts)
    const after = await figuresNow()
    const isStill = digest(after) === digest(all.figures) && isCountOf(events.byType, after)
    const cut = cuts ? events.cut : isStill ? all : null
    if (cut) {
      const { figures, receivedTo } = cut
      const content = { site: site.id, day, timeZone: site.timeZone, ...figures }
      const files: ExportedFile[] = [
        { name: EVENTS, ...events.measure },
        { name: FIGURES, ...(await writeJson(destination, `${folder}/${FIGURES}`, content, signal)) },
      ]
      const manifest: Manifest = {
        format: FORMAT,
        site: site.id,
        day,
        timeZone: site.timeZone,
        from: new Date(range.from).toISOString(),
        to: new Date(range.to).toISOString(),
        events: figures.totalEvents,
        completeTo: new Date(receivedTo).toISOString(),
        exportedAt: new Date(now()).toISOString(),
        figuresSha256: digest(figures),
        files,
      }
      await writeJson(destination, manifestKey, manifest, signal)
      if (await areThere(destination, folder, files, signal)) return manifest
      // A server with another store, or one that was stopped for so long that it lost its turn.
      await destination.remove(manifestKey, signal)
      throw new AppError(
        'unavailable',
        `Somebody else writes to ${destination.place}/${folder}; it is tried again later.`,
      )
    }
    if (tries === TRIES) throw doesNotFit(day, events.byType, all.figures, after)
  }
}

/** Whether an export of the day was there, or was being written, when a process died or failed. */
async function isBegun(destination: Destination, folder: string, signal: AbortSignal): Promise<boolean> {
  for (const name of [EVENTS, FIGURES]) if ((await destination.bytes(`${folder}/${name}`, signal)) !== null) return true
  return false
}

async function isSame(
  { site, signal }: DayExport,
  destination: Destination,
  folder: string,
  before: Manifest,
  figures: DayFigures,
): Promise<boolean> {
  if (before.timeZone !== site.timeZone || before.figuresSha256 !== digest(figures)) return false
  // What waited in the log then is in the store by now, or will be.
  if (before.completeTo < before.to) return false
  return areThere(destination, folder, before.files, signal)
}

async function areThere(
  destination: Destination,
  folder: string,
  files: readonly ExportedFile[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const { name, bytes } of files)
    if ((await destination.bytes(`${folder}/${name}`, signal)) !== bytes) return false
  return true
}

/**
 * Writes the lines of one of the cuts, the latest that they fit, which only the last line can show: those received while
 * the cuts were made are kept back until then. Without cuts, all that there are.
 */
async function writeEvents(
  { store, destination }: ExportParts,
  key: string,
  { site, signal }: DayExport,
  range: TimeRange,
  cuts: readonly Cut[] | null,
): Promise<{ byType: ByType; measure: Measure; cut: Cut | null }> {
  const byType: ByType = new Map()
  const kept: { receivedAt: number; type: string; line: string }[] = []
  const moments = cuts ? cuts.map(({ receivedTo }) => receivedTo) : [Number.POSITIVE_INFINITY]
  const [first, last] = [Math.min(...moments), Math.max(...moments)]
  const found: { cut: Cut | null } = { cut: null }
  let measure: Measure = { bytes: 0, sha256: '' }
  async function* lines() {
    for await (const page of store.scanEvents(site.id, range)) {
      signal.throwIfAborted()
      for (const event of page) {
        const { receivedAt, type } = event
        if (receivedAt <= first) {
          count(byType, type)
          yield eventLine(event)
        } else if (receivedAt <= last) kept.push({ receivedAt, type, line: eventLine(event) })
      }
    }
    found.cut = cuts?.findLast(({ receivedTo, figures }) => isCountOf(upTo(receivedTo), figures)) ?? null
    const end = found.cut?.receivedTo ?? first
    for (const { receivedAt, type, line } of kept)
      if (receivedAt <= end) {
        count(byType, type)
        yield line
      }
  }
  function upTo(moment: number): ByType {
    const counts: ByType = new Map(byType)
    for (const { receivedAt, type } of kept) if (receivedAt <= moment) count(counts, type)
    return counts
  }
  const content = measured(zipped(joined(lines())), (all) => {
    measure = all
  })
  await destination.write(key, content, signal)
  return { byType, measure, ...found }
}

type ByType = Map<string, number>

function count(byType: ByType, type: string): void {
  byType.set(type, (byType.get(type) ?? 0) + 1)
}

/** The lines are counted for themselves: what is written must be what the figures say. */
function isCountOf(byType: ByType, { totalEvents, eventsByType }: DayFigures): boolean {
  return (
    sumOf(byType) === totalEvents &&
    byType.size === eventsByType.length &&
    eventsByType.every(({ type, events }) => byType.get(type) === events)
  )
}

function sumOf(byType: ByType): number {
  return [...byType.values()].reduce((sum, events) => sum + events, 0)
}

async function writeJson(destination: Destination, key: string, value: unknown, signal: AbortSignal): Promise<Measure> {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
  await destination.write(key, once(bytes), signal)
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** A whole export of a day whose events were dropped since must stay as it is. */
async function assertKept({ keptFrom }: ExportParts['store'], day: string, { from }: TimeRange): Promise<void> {
  const first = (await keptFrom?.()) ?? 0
  if (Number(new Date(from).toISOString().slice(0, 7).replace('-', '')) < first)
    throw new AppError('conflict', `The events of ${day} are not kept any more.`, { field: 'day' })
}

function doesNotFit(day: string, byType: ByType, figures: DayFigures, after: DayFigures): AppError {
  if (digest(figures) !== digest(after))
    return new AppError(
      'unavailable',
      `Events of ${day} come in faster than they are exported; it is tried again later.`,
    )
  return new AppError(
    'conflict',
    `The figures of ${day} count ${figures.totalEvents} events and the store has ${sumOf(byType)}: it does not keep all of them any more.`,
  )
}
