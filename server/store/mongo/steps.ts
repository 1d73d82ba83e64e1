import type { Step } from '../steps.ts'
import type { Collections } from './collections.ts'
import { recountOrders } from './recount/orders.ts'

type Name = Exclude<keyof Collections, 'events' | 'meta' | 'steps' | 'database'>

/** What is not of one transaction here: a step that was cut short runs again, so twice must be as good as once. */
export interface MongoStep
  extends Step<(rows: Collections, tell: (done: number, of: number) => void) => Promise<void>> {
  /** For one that changes: the collections of which a copy is kept, for it or what is stored later changes their rows. */
  of?: readonly Name[]
}

/** Number n brings a database from format n - 1 to n. Only ever appended to. */
export const mongoSteps: readonly MongoStep[] = [
  { name: 'makes the collections', kind: 'adds', run: async () => undefined },
  {
    name: 'keeps batches by age',
    kind: 'adds',
    run: async ({ ledger }) => void (await ledger.createIndex({ state: 1, doneAt: 1, _id: 1 })),
  },
  // Which purchases count as orders is another question since then.
  {
    name: 'counts orders again',
    kind: 'changes',
    of: ['orders', 'users', 'sessions', 'days', 'totals'],
    run: recountOrders,
  },
]

/** The format of the first release. */
export const FIRST_MONGO_FORMAT = 1
/** The format of a database that this program made or updated. */
export const MONGO_FORMAT = mongoSteps.length
