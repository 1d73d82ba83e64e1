import { createDemoAccount, hasDemoAccount } from '../accounts/demo.ts'
import type { Store } from '../store/store.ts'
import { type SeedInput, type SeedOutcome, seedDemo } from './seed.ts'
import { demoDefaults } from './shop.ts'

/**
 * Makes an empty store a demo store, or finishes one that was begun: its login, then its events. "taken" when the
 * store has an account or events of its own; it is left as it is, since the demo's login is known to everybody.
 */
export async function prepareDemo(store: Store, input: SeedInput): Promise<SeedOutcome | 'taken'> {
  if (!(await hasDemoAccount(store.accounts))) {
    const isEmpty = (await store.accounts.count()) === 0 && (await store.totals(demoDefaults.siteId)).events === 0
    if (!isEmpty || !(await createDemoAccount(store.accounts, input.now))) return 'taken'
  }
  return seedDemo(store, input)
}
