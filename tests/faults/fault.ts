import type { Need } from '../needs.ts'
import type { StoreKind } from '../store-kind.ts'
import type { Comparison } from './compare.ts'
import type { ShopProcess } from './shop-process.ts'
import type { ShopData } from './store.ts'

/** What a fault test receives. */
export interface FaultRun {
  seed: number
  rounds: number
  /** Duration of the load in each phase. */
  seconds: number
  /** Creates a temporary folder that is removed after the run. */
  folder(): string
  /** Creates a data folder with an empty store; both are removed after the run. */
  data(): Promise<ShopData>
  /** Prepares a server for this data without starting it; stopped after the run at the latest. */
  shop(data: Pick<ShopData, 'dataDir' | 'env'>, env?: Record<string, string>, port?: number): Promise<ShopProcess>
  /** Reports the current step; a failure's message names it. */
  step(text: string): void
  /** Registers cleanup for the end of the run, also after a failure. */
  atEnd(end: () => Promise<void>): void
}

export interface FaultReport {
  /** In each of these, nothing may be missing, duplicated, spurious, different or wrongly totaled. */
  comparisons: Comparison[]
  /** Figures to print: requests, kills, milliseconds … */
  figures: Record<string, number | string>
}

export interface Fault {
  id: string
  title: string
  /** The only kind of store to run on; otherwise all kinds. */
  only?: StoreKind
  /** Size within npm test (short) and for npm run faults (long). */
  short: Pick<FaultRun, 'rounds' | 'seconds'>
  long: Pick<FaultRun, 'rounds' | 'seconds'>
  /** What it needs besides its store. */
  needs?: Need
  run(run: FaultRun): Promise<FaultReport>
}

/** Throws with this message unless the condition holds; the runner adds seed and step. */
export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}
