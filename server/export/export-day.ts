import { createHash } from 'node:crypto'
import type { Freshness, Site } from '../../trpc/schema/common.ts'
import { addDays, dayStart } from '../analysis/zones.ts'
import { AppError } from '../errors.ts'
import type { EventKeeping, EventReading, TimeRange } from '../store/store.ts'
import { joined, type Measure, measured, once, zipped } from './content.ts'
import { type Destination, readText } from './destination.ts'
import { eventLine } from './event-line.ts'
import { type DayFigures, dayFigures } from './figures.ts'
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
  /** needed: unless the same is there already. changed: only in place of one that differs. always: whatever is there. */
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

  const before = parseManifest((await readText(destination, manifestKey)) ?? '')
  if (when === 'changed' && !before) return null
  let figures = await dayFigures(store, site, day)
  if (when !== 'always' && before && (await isSame(destination, folder, before, site, figures))) return null
  await assertKept(store, day, range)

  // From here on until the new manifest nothing looks complete.
  await destination.remove(manifestKey)
  await destination.tidy(folder)
  for (let tries = 1; ; tries++) {
    const { completeTo } = freshness()
    const events = await writeEvents(parts, `${folder}/${EVENTS}`, site, range, signal)
    const counted = figures
    figures = await dayFigures(store, site, day)
    if (digest(figures) === digest(counted) && events.lines === figures.totalEvents) {
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
        events: events.lines,
        completeTo,
        exportedAt: new Date(now()).toISOString(),
        figuresSha256: digest(figures),
        files,
      }
      await writeJson(destination, manifestKey, manifest, signal)
      return manifest
    }
    if (tries === TRIES) throw doesNotFit(day, events.lines, counted, figures)
  }
}

async function isSame(
  destination: Destination,
  folder: string,
  before: Manifest,
  site: Site,
  figures: DayFigures,
): Promise<boolean> {
  if (before.timeZone !== site.timeZone || before.figuresSha256 !== digest(figures)) return false
  // What waited in the log then is in the store by now, or will be.
  if (before.completeTo < before.to) return false
  for (const { name, bytes } of before.files) if ((await destination.bytes(`${folder}/${name}`)) !== bytes) return false
  return true
}

async function writeEvents(
  { store, destination }: ExportParts,
  key: string,
  site: Site,
  range: TimeRange,
  signal: AbortSignal,
): Promise<{ lines: number; measure: Measure }> {
  let count = 0
  let measure: Measure = { bytes: 0, sha256: '' }
  async function* lines() {
    for await (const page of store.scanEvents(site.id, range)) {
      signal.throwIfAborted()
      count += page.length
      for (const event of page) yield eventLine(event)
    }
  }
  const content = measured(zipped(joined(lines())), (all) => {
    measure = all
  })
  await destination.write(key, content, signal)
  return { lines: count, measure }
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

function digest(figures: DayFigures): string {
  return createHash('sha256').update(JSON.stringify(figures)).digest('hex')
}

function doesNotFit(day: string, lines: number, counted: DayFigures, figures: DayFigures): AppError {
  if (digest(counted) !== digest(figures))
    return new AppError(
      'unavailable',
      `Events of ${day} come in faster than they are exported; it is tried again later.`,
    )
  return new AppError(
    'conflict',
    `The figures of ${day} count ${figures.totalEvents} events and the store has ${lines}: it does not keep all of them any more.`,
  )
}
