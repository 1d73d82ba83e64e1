import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDemo } from '../../server/demo/prepare.ts'
import { createProgress } from '../../server/demo/progress.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { printTable } from './machine.ts'
import type { MongoDatabase } from './mongo-database.ts'
import { askingStore, type Latency, latency } from './queries.ts'

/** Average number of events per user in the demo shop. */
const EVENTS_PER_USER = 40

interface QueriesResult {
  events: number
  users: number
  seedSeconds: number
  questions: ({ question: string } & Latency)[]
}

/** Measures the store's queries on a small shop and on one ten times larger, one at a time, in this process. */
export async function measureMongoQueries(
  start: (events: number) => Promise<MongoDatabase>,
  { sizes, runs }: { sizes: readonly number[]; runs: number },
): Promise<QueriesResult[]> {
  const results: QueriesResult[] = []
  for (const events of sizes) {
    const dataDir = mkdtempSync(join(tmpdir(), 'veritas-bench-'))
    const database = await start(events)
    try {
      const store = await createMongoStore({ url: database.newUrl() })
      const users = Math.round(events / EVENTS_PER_USER)
      const now = Date.now()
      const onProgress = createProgress(`Seeding ${events.toLocaleString('en')} events`, 'events')
      await prepareDemo(store, { now, dataDir, options: { events, users }, onProgress })
      const result: QueriesResult = { events, users, seedSeconds: (Date.now() - now) / 1000, questions: [] }
      for (const [question, asks] of await askingStore(store, now))
        result.questions.push({ question, ...(await latency(asks, runs)) })
      results.push(result)
      await store.close()
    } finally {
      await database.close()
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  return results
}

export function printQueries(results: readonly QueriesResult[]): void {
  const compact = new Intl.NumberFormat('en', { notation: 'compact' })
  console.log('\nAnswers of the engine in milliseconds, p50 / p95\n')
  const [small, large] = [results[0]!, results.at(-1)!]
  printTable(
    ['question', ...results.map(({ events }) => `at ${compact.format(events)}`), 'ratio of p50'],
    small.questions.map(({ question, p50 }, index) => [
      question,
      ...results.map(({ questions }) => `${questions[index]!.p50.toFixed(1)} / ${questions[index]!.p95.toFixed(1)}`),
      (large.questions[index]!.p50 / p50).toFixed(2),
    ]),
  )
}
