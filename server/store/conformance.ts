import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeAccounts } from './conformance/accounts.ts'
import { describeComparing } from './conformance/comparing.ts'
import { describeFigures } from './conformance/figures.ts'
import { describeJobs } from './conformance/jobs.ts'
import { describeJourneys } from './conformance/journeys.ts'
import { describeKeeping } from './conformance/keeping.ts'
import { describeKeys } from './conformance/keys.ts'
import { describeMoving } from './conformance/moving.ts'
import type { OpenedStore } from './conformance/opened-store.ts'
import { describeOrders } from './conformance/orders.ts'
import { describeSites } from './conformance/sites.ts'
import { describeUserLists } from './conformance/user-lists.ts'
import { describeWriting } from './conformance/writing.ts'
import { itAnswersLikeTheOracle } from './property.ts'
import type { Store } from './store.ts'

/**
 * What every engine must do. `open` gives a new, empty store each time; the caller removes what it left behind.
 * `randomShops` are for engines that answer slowly.
 */
export function describeStore(name: string, open: () => Promise<OpenedStore>, randomShops?: number): void {
  describe(name, () => {
    // Tests keep apart by sites of their own, since opening takes longer than most of them.
    let shared: Store | undefined
    beforeAll(async () => {
      shared = (await open()).store
    })
    afterAll(() => shared?.close())
    const store = () => {
      if (!shared) throw new Error('the store is not open')
      return shared
    }
    describeSites(store)
    describeWriting(store, open)
    describeFigures(store)
    describeComparing(store, open)
    describeOrders(store)
    describeUserLists(store)
    describeJourneys(store)
    describeAccounts(store, open)
    describeKeys(store)
    describeJobs(store)
    describeKeeping(store, open, randomShops)
    describeMoving(open)
    itAnswersLikeTheOracle(store, randomShops)

    it('answers nothing after close, and closes once however often it is asked', async () => {
      const { store } = await open()
      await Promise.all([store.close(), store.close()])
      await store.close()
      await expect(store.totals('any')).rejects.toMatchObject({ code: 'unavailable' })
      await expect(store.insertBatch({ id: 'late', events: [] })).rejects.toMatchObject({ code: 'unavailable' })
      await expect(store.ping()).rejects.toMatchObject({ code: 'unavailable' })
    })
  })
}
