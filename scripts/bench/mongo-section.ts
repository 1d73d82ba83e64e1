import { AppError } from '../../server/errors.ts'
import { count, type Finding, times, us } from './finding.ts'
import { machine, median, printTable } from './machine.ts'
import { isStandIn, startMongoDatabase } from './mongo-database.ts'
import { measureMongoQueries, printQueries } from './mongo-queries.ts'
import { measureSustained, type SustainedResult } from './mongo-sustained.ts'
import { measureWriting, printWriting, ratioToPlain, typical, type WritingResult } from './mongo-writing.ts'

/** Heap of the stand-in, in MB: it keeps all documents and indexes in memory. */
const HEAP_MB = 2500
const HEAP_MB_PER_MILLION = 6000

/** P6 and the queries on MongoDB. Resolves to the results of each part by name. */
export async function benchMongo({ quick, long }: { quick: boolean; long: boolean }): Promise<Record<string, object>> {
  if (long && isStandIn)
    throw new AppError(
      'invalid_input',
      'No memory holds 10 million events in the stand-in: --long needs MONGODB_TEST_URI.',
    )
  const start = () => startMongoDatabase(HEAP_MB)
  const writing = await measureWriting(start, {
    repeats: quick ? 1 : 3,
    windows: quick ? 1 : 4,
    batches: quick ? 6 : 15,
    batchEvents: 2000,
  })
  const sustained = await measureSustained(start, { repeats: quick ? 1 : 3, windowMs: quick ? 1000 : 6000 })
  const large = long ? 10_000_000 : 1_000_000
  const queries = await measureMongoQueries(
    (events) => startMongoDatabase(HEAP_MB + (events / 1e6) * HEAP_MB_PER_MILLION),
    { sizes: quick ? [5000, 20_000] : [large / 10, large], runs: quick ? 20 : 200 },
  )
  const findings = [...findingsOfWriting(writing), ...findingsOfSustained(sustained)]
  printWriting(writing)
  printQueries(queries)
  console.log('')
  printTable(
    ['target', 'what', 'measured', 'goal', ''],
    findings.map(({ target, what, measured, goal, met }) => [
      target,
      what,
      measured,
      goal,
      met === null ? '' : met ? 'met' : 'missed',
    ]),
  )
  const of = { measuredAt: new Date().toISOString(), machine: machine(), database: isStandIn ? 'stand-in' : 'MongoDB' }
  return { writing: { ...of, findings, writing, sustained }, queries: { ...of, queries } }
}

function findingsOfWriting(results: readonly WritingResult[]): Finding[] {
  return results.map((result) => {
    const { cpuUs } = typical(result, 'engine')
    return {
      target: 'P6',
      what: `events/s into the store, x insertMany, ${result.load} (${us(cpuUs)} CPU an event)`,
      measured: times(ratioToPlain(result)),
      // The goal is for a real server, where documents cost more: the stand-in writes to memory.
      goal: isStandIn ? '' : '>= 0.6 x',
      met: isStandIn ? null : ratioToPlain(result) >= 0.6,
    }
  })
}

const goals = { shop: 10_000, wide: null } as const

function findingsOfSustained(results: readonly SustainedResult[]): Finding[] {
  return results.map(({ load, repeats }) => {
    const rate = median(repeats.map((repeat) => repeat.eventsPerSecond))
    const goal = goals[load]
    return {
      target: 'P6',
      what: `events/s accepted to stored, ${load} (${us(median(repeats.map(({ serverUs }) => serverUs)))} CPU an event)`,
      measured: count(rate),
      goal: goal === null ? '' : `>= ${count(goal)}`,
      met: goal === null ? null : rate >= goal,
    }
  })
}
