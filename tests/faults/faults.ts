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
import type { Fault } from './fault.ts'

/** Those that need real processes, disks and stores; F2, F3 and F4 are proven beside the log (docs/faults.md). */
export const faults: readonly Fault[] = [
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
]
