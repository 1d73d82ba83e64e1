import type { Need } from '../needs.ts'
import type { StoreKind } from '../store-kind.ts'
import type { Comparison } from './compare.ts'
import type { ShopProcess } from './shop-process.ts'
import type { ShopData } from './store.ts'

/** What a fault is run with. */
export interface FaultRun {
  seed: number
  rounds: number
  /** How long the load of one phase lasts. */
  seconds: number
  /** A new folder that is removed after the run. */
  folder(): string
  /** A new data folder with an empty store; both are removed after the run. */
  data(): Promise<ShopData>
  /** A server on this data that is not started yet; it ends with the run at the latest. */
  shop(data: Pick<ShopData, 'dataDir' | 'env'>, env?: Record<string, string>, port?: number): Promise<ShopProcess>
  /** Says where the run is; the last step is printed with a failure. */
  step(text: string): void
  /** To be done when the run is over, however it ends. */
  atEnd(end: () => Promise<void>): void
}

export interface FaultReport {
  /** Each must have nothing missing, twice, spurious, different or in a wrong total. */
  comparisons: Comparison[]
  /** Figures worth printing: requests, kills, milliseconds … */
  figures: Record<string, number | string>
}

export interface Fault {
  id: string
  title: string
  /** The one kind of store that it is about; else it is run on each. */
  only?: StoreKind
  /** Within npm test, and for npm run faults. */
  short: Pick<FaultRun, 'rounds' | 'seconds'>
  long: Pick<FaultRun, 'rounds' | 'seconds'>
  /** What it needs beside its store. */
  needs?: Need
  run(run: FaultRun): Promise<FaultReport>
}

/** Throws with what is not as it should be; the runner adds seed and step. */
export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}
