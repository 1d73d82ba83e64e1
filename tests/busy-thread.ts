import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../server/errors.ts'
import { sampleSite } from '../server/store/sample-events.ts'
import { Database } from '../server/store/sqlite/database.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { Thread } from '../server/store/sqlite/thread.ts'

/**
 * A process whose worker thread is inside a long SQL statement when the thread is stopped, or when the process exits:
 * `node --import tsx tests/busy-thread.ts stop|exit FOLDER`. Prints "well" and exits with 0, or exits with 3.
 */
const [how, folder] = process.argv.slice(2) as ['stop' | 'exit', string]
const path = `${folder}/veritas.db`
const store = await createSqliteStore({ path, readers: 1 })
const { id: siteId } = await store.saveSite(sampleSite())
await store.close()
const database = await Database.open(path)
database.exec(`INSERT INTO users (site_no, user_id, first_at, last_at, events, sessions, orders)
  WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 200000)
  SELECT 1, 'user ' || n, n, n, 1, 1, 0 FROM numbers`)
database.close()

const ROUNDS = 3
for (let round = 0; round < ROUNDS; round++) {
  const thread = new Thread({ role: 'reader', path })
  await thread.opened
  let isAnswered = false
  // One call after another, so that the thread is inside SQLite practically all the time.
  void (async () => {
    for (;;) await thread.call('auditTotals', { siteId })
  })().catch(() => {
    isAnswered = true
  })
  await sleep(20)
  if (how === 'exit') process.exit(3)
  thread.stop(new AppError('unavailable', 'not wanted any more'))
  await thread.ended
  if (!isAnswered) throw new Error('a call is left without an answer')
}
console.log('well')
