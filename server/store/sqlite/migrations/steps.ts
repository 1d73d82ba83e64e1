import type { Step } from '../../steps.ts'
import type { Database } from '../database.ts'
import { initial } from './001-initial.ts'
import { writeKeys } from './002-write-keys.ts'
import { jobs } from './003-jobs.ts'
import { marks } from './004-marks.ts'
import { orders } from './005-orders.ts'
import { originsAndDigests } from './007-origins-and-digests.ts'

/** SQL, or a function that works within the transaction of the step and may tell how far it is. */
export type SqliteStep = Step<string | ((db: Database, progress: (done: number, of: number) => void) => void)>

/** Number n brings a file from format n - 1 to n. Only ever appended to. */
export const sqliteSteps: readonly SqliteStep[] = [
  { name: 'makes the tables', kind: 'adds', run: initial },
  { name: 'keeps write keys', kind: 'adds', run: writeKeys },
  { name: 'keeps jobs', kind: 'adds', run: jobs },
  { name: 'keeps marks', kind: 'adds', run: marks },
  // Which purchases count as orders is another question since then.
  { name: 'keeps who said it', kind: 'changes', run: orders },
  { name: 'keeps the origins of keys, and what tells events under one id apart', kind: 'adds', run: originsAndDigests },
]

/** The format of the first release: what came before it was never out there. */
export const FIRST_FORMAT = 4
