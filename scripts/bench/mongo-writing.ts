import { end } from '../launch.ts'
import { answer, ask, forkBeside } from './child.ts'
import { count, us } from './finding.ts'
import { cpuOf, median, printTable } from './machine.ts'
import type { MongoDatabase } from './mongo-database.ts'
import type { WriteOrder, Written } from './mongo-writer.ts'

export type Load = 'shop' | 'wide'
export const loads: readonly Load[] = ['shop', 'wide']

/** Figures of one window, or the best of several. CPU in microseconds per event: of the writer and of the database. */
interface WriteFigures {
  eventsPerSecond: number
  cpuUs: number
  databaseUs: number | null
}
type Way = WriteOrder['way']
const ways: readonly Way[] = ['plain', 'engine']

export interface WritingResult {
  load: Load
  batchEvents: number
  repeats: Record<Way, WriteFigures>[]
}

/** Measures both ways in alternating windows, so that other load on the machine affects both equally. */
export async function measureWriting(
  start: () => Promise<MongoDatabase>,
  options: { repeats: number; windows: number; batches: number; batchEvents: number },
): Promise<WritingResult[]> {
  const { repeats, windows, batches, batchEvents } = options
  const results: WritingResult[] = []
  for (const load of loads) {
    const result: WritingResult = { load, batchEvents, repeats: [] }
    for (let repeat = 0; repeat < repeats; repeat++) {
      const database = await start()
      const writer = forkBeside('mongo-writer.ts', database.newUrl(), load)
      try {
        await answer(writer)
        const found: Record<Way, WriteFigures[]> = { plain: [], engine: [] }
        // The first window of each way is a warm-up.
        for (let window = 0; window <= windows; window++)
          for (const way of ways) {
            const figures = await measure(database, () =>
              ask<Written>(writer, { way, batches, eventsPerBatch: batchEvents }),
            )
            if (window > 0) found[way].push(figures)
          }
        result.repeats.push({ plain: best(found.plain), engine: best(found.engine) })
        console.log(`writing, ${load}: repeat ${repeat + 1} done`)
      } finally {
        await end(writer)
        await database.close()
      }
    }
    results.push(result)
  }
  return results
}

async function measure({ pid }: MongoDatabase, write: () => Promise<Written>): Promise<WriteFigures> {
  const before = pid === null ? 0 : cpuOf(pid).process
  const { events, elapsedMs, cpuUs } = await write()
  return {
    eventsPerSecond: (events / elapsedMs) * 1000,
    cpuUs: cpuUs / events,
    databaseUs: pid === null ? null : (cpuOf(pid).process - before) / events,
  }
}

/** The best value of each figure: other programs on the machine only make figures worse. */
function best(windows: readonly WriteFigures[]): WriteFigures {
  return {
    eventsPerSecond: Math.max(...windows.map((window) => window.eventsPerSecond)),
    cpuUs: Math.min(...windows.map((window) => window.cpuUs)),
    databaseUs: windows.some((window) => window.databaseUs === null)
      ? null
      : Math.min(...windows.map((window) => window.databaseUs ?? 0)),
  }
}

/** The median of each figure over the repeats. */
export function typical({ repeats }: WritingResult, way: Way): WriteFigures {
  const of = (figure: 'eventsPerSecond' | 'cpuUs') => median(repeats.map((repeat) => repeat[way][figure]))
  const database = repeats.flatMap((repeat) => repeat[way].databaseUs ?? [])
  return {
    eventsPerSecond: of('eventsPerSecond'),
    cpuUs: of('cpuUs'),
    databaseUs: database.length === 0 ? null : median(database),
  }
}

/** Events per second relative to plain insertMany: the median of the ratios within each repeat. */
export function ratioToPlain({ repeats }: WritingResult): number {
  return median(repeats.map(({ plain, engine }) => engine.eventsPerSecond / plain.eventsPerSecond))
}

export function printWriting(results: readonly WritingResult[]): void {
  console.log('\nEvents into the database, best of windows, median of repeats; CPU an event\n')
  printTable(
    ['load', 'way', 'events/s', 'of plain', 'our CPU', 'its CPU'],
    results.flatMap((result) =>
      ways.map((way) => {
        const { eventsPerSecond, cpuUs, databaseUs } = typical(result, way)
        const ratio = way === 'engine' ? ratioToPlain(result).toFixed(2) : ''
        const ofDatabase = databaseUs === null ? 'not known' : us(databaseUs)
        return [result.load, names[way], count(eventsPerSecond), ratio, us(cpuUs), ofDatabase]
      }),
    ),
  )
}

const names: Record<Way, string> = { plain: 'insertMany', engine: 'Veritas, with folds' }
