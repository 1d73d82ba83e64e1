import type { Store } from '../store.ts'

/** An empty store; reopen() closes it and opens the same data again. */
export interface OpenedStore {
  store: Store
  reopen(): Promise<Store>
}
