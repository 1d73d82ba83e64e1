import { createSqliteStore } from '../server/store/sqlite/store.ts'
import type { EventBatch } from '../server/store/store.ts'

/** Days are UTC days, so that tests can compute them easily. */
export const site = { id: 'shop', name: 'Shop', timeZone: 'UTC', currency: 'EUR' }
export const EVENTS_PER_BATCH = 200
const START = Date.UTC(2026, 9, 28)
const STEP_MS = 20_000

/** The batch with a number; always the same for the same number. Batches share users, sessions, orders and days. */
export function numberedBatch(number: number): EventBatch {
  const events = Array.from({ length: EVENTS_PER_BATCH }, (_, index) => {
    const place = number * EVENTS_PER_BATCH + index
    const occurredAt = START + ((place * 7919) % 50_000) * STEP_MS
    const purchase = place % 10 === 0
    return {
      eventId: `event-${number}-${index}`,
      siteId: site.id,
      userId: `user-${place % 97}`,
      sessionId: `session-${place % 13}`,
      type: purchase ? 'purchase' : 'page_view',
      payload: purchase ? { orderId: `order-${(place * 31) % 5000}`, revenue: place % 50, currency: 'EUR' } : null,
      occurredAt,
      receivedAt: occurredAt,
      seq: place,
      trust: place % 3 === 0 ? ('claimed' as const) : ('verified' as const),
      issues: null,
    }
  })
  return { id: `batch-${number}`, events }
}

/** A script (arguments: path, first number) that writes batches, three at once, until killed. Prints those stored. */
async function writeForEver(path: string, first: number): Promise<never> {
  const store = await createSqliteStore({ path, readers: 1 })
  await store.saveSite(site)
  let number = first
  const write = async (): Promise<never> => {
    for (;;) {
      const own = number
      number += 1
      await store.insertBatch(numberedBatch(own))
      process.stdout.write(`${own}\n`)
    }
  }
  return Promise.race([write(), write(), write()])
}

const [path, first] = process.argv.slice(2)
if (import.meta.url === `file://${process.argv[1]}` && path) await writeForEver(path, Number(first))
