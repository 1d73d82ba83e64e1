import { ownStoreNeeds } from '../mongo/need.ts'
import type { Need } from '../needs.ts'
import { releases } from '../release/releases.ts'
import type { StoreKind } from '../store-kind.ts'
import { kill } from './f01-kill.ts'
import { storeAway } from './f05-store-away.ts'
import { storeFaults } from './f06-store-faults.ts'
import { mixedOutcomes } from './f07-mixed-outcomes.ts'
import { failingSyncs, faultyDisk, fullDisk } from './f08-disk.ts'
import { poison } from './f09-poison.ts'
import { resent } from './f10-resent.ts'
import { hostileRequests } from './f11-hostile-requests.ts'
import { restarts } from './f12-restarts.ts'
import { slots } from './f13-slots.ts'
import { replayed } from './f14-replayed.ts'
import { smallHeap } from './f15-small-heap.ts'
import { failpoints } from './f16-failpoints.ts'
import { connections } from './f17-connections.ts'
import { twoServers } from './f18-two-servers.ts'
import { databaseKilled } from './f19-database-killed.ts'
import { sequences } from './f21-sequences.ts'
import type { Fault } from './fault.ts'

/** Faults that need real processes, disks and stores. F2, F3 and F4 are unit tests of the log (docs/faults.md). */
const faults: readonly Fault[] = [
  kill,
  storeAway,
  storeFaults,
  mixedOutcomes,
  faultyDisk,
  fullDisk,
  failingSyncs,
  poison,
  resent,
  hostileRequests,
  restarts,
  slots,
  replayed,
  smallHeap,
  failpoints,
  connections,
  twoServers,
  databaseKilled,
  releases,
  sequences,
]

/** The faults that apply to this kind of store. */
export function faultsOf(store: StoreKind): readonly Fault[] {
  return faults.filter(({ only }) => only === undefined || only === store)
}

/** The missing requirement of a fault (reason and expected path); null if it can be run here. */
export function missingFor({ needs }: Fault, store: StoreKind): Need | null {
  return [ownStoreNeeds[store], needs].find((need) => need?.missing) ?? null
}
