import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { sampleBatch, sampleEvent, sampleSite } from '../sample-events.ts'
import type { Store } from '../store.ts'
import { Database } from './database.ts'
import { createSqliteStore } from './store.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()
const MAX_BYTES = 8 * 1024 * 1024
/** More than one transaction of the test writes. */
const BATCH_BYTES = 2 * 1024 * 1024

async function openStore() {
  const path = join(await newFolder(), 'veritas.db')
  const store = await createSqliteStore({ path, readers: 1, logMaxBytes: MAX_BYTES })
  const { id: siteId } = await store.saveSite(sampleSite())
  return { path, store, siteId, logBytes: () => statSync(`${path}-wal`).size }
}

let made = 0
/** Events of users and sessions all over the tables. */
function insert(store: Store, siteId: string): Promise<unknown> {
  const events = Array.from({ length: 100 }, () => {
    made += 1
    return sampleEvent({
      siteId,
      userId: `u${(made * 7919) % 5000}`,
      sessionId: `s${made}`,
      payload: { url: 'x'.repeat(500) },
    })
  })
  return store.insertBatch(sampleBatch(...events))
}

/** Holds one state of the store, as a backup does. */
async function slowReader(path: string) {
  const db = await Database.open(path)
  db.exec('BEGIN')
  db.values('count(*)', 'users')
  return () => {
    db.exec('COMMIT')
    db.close()
  }
}

it('refuses batches while a slow reader has made the log as long as it may be, and goes on after it', async () => {
  const { path, store, siteId, logBytes } = await openStore()
  await insert(store, siteId)
  const leave = await slowReader(path)
  let refused: unknown
  for (let batch = 0; batch < 500 && !refused; batch++) {
    await insert(store, siteId).catch((error: unknown) => {
      refused = error
    })
    expect(logBytes()).toBeLessThan(MAX_BYTES + BATCH_BYTES)
  }
  expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringContaining('SQLITE_LOG_MAX_BYTES') })
  const { events } = await store.totals(siteId)
  leave()
  await expect
    .poll(() =>
      insert(store, siteId)
        .then(() => true)
        .catch(() => false),
    )
    .toBe(true)
  expect((await store.totals(siteId)).events).toBe(events + 100)
  await expect.poll(logBytes).toBeLessThan(MAX_BYTES)
  await store.close()
})

it('keeps the log bounded under readers of whom there is always one, and stores everything', async () => {
  const { path, store, siteId, logBytes } = await openStore()
  let leave = await slowReader(path)
  let stored = 0
  for (let tries = 1; stored < 60; tries++) {
    await insert(store, siteId).then(
      () => {
        stored += 1
      },
      (error: unknown) => expect(error).toMatchObject({ code: 'unavailable' }),
    )
    expect(logBytes()).toBeLessThan(MAX_BYTES + BATCH_BYTES)
    // Other threads are heard only when this one lets them.
    await setImmediate()
    // Each begins before the one before it ends.
    if (tries % 5 > 0) continue
    const next = await slowReader(path)
    leave()
    leave = next
  }
  leave()
  expect((await store.totals(siteId)).events).toBe(6000)
  await store.close()
})
