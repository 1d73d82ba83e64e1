import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareAnswers } from './compare-answers.ts'
import { Oracle } from './oracle.ts'
import { randomShop } from './random-shop.ts'
import type { Store } from './store.ts'

/** Random shops: each answer of the store equals the oracle's. STORE_PROPERTY_RUNS sets how many; a failure names its seed. */
export function itAnswersLikeTheOracle(open: () => Store, usualRuns = 25): void {
  const runs = Number(process.env.STORE_PROPERTY_RUNS ?? usualRuns)
  it(
    `answers every question as a recount does (${runs} random shops)`,
    async () => {
      const store = open()
      let shops = 0
      await fc.assert(
        fc.asyncProperty(randomShop(), async (shop) => {
          // Every shop is a site of its own in the one store, so sites must not mix either.
          shops += 1
          const site = { ...shop.site, id: `shop-${shops}` }
          const oracle = new Oracle([site])
          await store.saveSite(site)
          for (const [index, { id, events }] of shop.batches.entries()) {
            const batch = { id: `${site.id} ${id}`, events: events.map((event) => ({ ...event, siteId: site.id })) }
            expect(await store.insertBatch(batch)).toEqual(oracle.insertBatch(batch))
            // In between too: figures must be right at every moment, not only at the end.
            if (index === Math.floor(shop.batches.length / 2)) await compareAnswers(store, oracle, site.id)
          }
          await compareAnswers(store, oracle, site.id)
        }),
        { numRuns: runs, ...(process.env.STORE_PROPERTY_SEED && { seed: Number(process.env.STORE_PROPERTY_SEED) }) },
      )
    },
    // A shop takes one to two seconds, and many times that on a busy machine; what hangs is found all the same.
    300_000 + runs * 30_000,
  )
}
