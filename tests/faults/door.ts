import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdmission } from '../../server/ingest/admission.ts'
import { createBudget } from '../../server/ingest/budget.ts'
import { createKeys } from '../../server/ingest/keys.ts'
import { createLargeBodies } from '../../server/ingest/large-bodies.ts'
import { createRefusals } from '../../server/ingest/refusals.ts'
import { createIngestRoute } from '../../server/ingest/route.ts'
import { openDiskWal } from '../../server/ingest/wal/disk.ts'
import { diskFiles, type LogFiles } from '../../server/ingest/wal/files.ts'
import type { EventWriting } from '../../server/store/store.ts'
import { balance } from '../../server/telemetry/system.ts'
import { createTelemetry } from '../../server/telemetry/telemetry.ts'
import { createConflicts } from '../../server/writer/conflicts.ts'
import { createDeadLetters, type DeadLetters } from '../../server/writer/dead-letters.ts'
import { createWriter } from '../../server/writer/writer.ts'
import type { Balance } from '../../trpc/schema/system.ts'
import type { ShopData } from './store.ts'

export interface Door {
  port: number
  deadLetters: DeadLetters
  /** The real store, without the wrapper's faults. */
  store: EventWriting
  balance(): Balance & { flushFailures: number; refusedRequests: Record<number, number> }
  waitingBytes(): number
  /** Waits until all accepted events are stored. Throws on a timeout or if the counters do not balance. */
  settled(timeoutMs?: number): Promise<void>
  close(): Promise<void>
}

export interface DoorOptions {
  data: Pick<ShopData, 'dataDir' | 'open'>
  /** Injects faults between the writer and the real store. */
  wrap?: (store: EventWriting) => EventWriting
  /** Injects faults between the log and the real disk. */
  files?: LogFiles
  retryMs?: number
  now?: () => number
}

/** Runs door, log and writer in this process, connected as in the server, so that parts can be replaced. */
export async function openDoor({
  data: { dataDir, open },
  wrap,
  files = diskFiles,
  retryMs,
  now = Date.now,
}: DoorOptions): Promise<Door> {
  const store = await open()
  await store.saveSite({ id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' })
  const telemetry = createTelemetry({ logLevel: 'silent' })
  const dir = join(dataDir, 'wal')
  const wal = await openDiskWal({
    dir,
    ackLevel: 'fsync',
    segmentBytes: 16 * 1024 * 1024,
    switchBytes: 64 * 1024 * 1024,
    files,
    report: () => {},
  })
  const deadLetters = createDeadLetters({ dir: join(dataDir, 'dead-letters') })
  const writer = createWriter({
    wal,
    store: wrap ? wrap(store) : store,
    deadLetters,
    conflicts: createConflicts({ dir: join(dataDir, 'conflicts') }),
    telemetry,
    settings: { events: 2000, intervalMs: 50, concurrency: 3, ...(retryMs !== undefined && { retryMs }) },
    now,
  })
  const memoryBytes = 64 * 1024 * 1024
  const limits = { bufferEvents: 10_000, memoryBytes, maxBytes: 2 * 1024 ** 3, maxAgeMs: 24 * 3_600_000 }
  const admission = await createAdmission({ wal, limits, now, freeBytes: () => files.freeBytes(dir), checkEveryMs: 50 })
  const keys = createKeys({ store: store.keys, keyless: 'allow', defaultSiteId: 'default', now })
  const maxBodyBytes = 4 * 1024 * 1024
  const settings = {
    schemaMode: 'warn',
    maxBodyBytes,
    maxBrowserBodyBytes: maxBodyBytes,
    keyInBodyBytes: 8192,
    maxEvents: 2500,
    maxValues: 250_000,
    answerBytes: 512 * 1024,
    sliceMs: 2,
    bodyTimeoutMs: 10_000,
    minBytesPerSecond: 1024,
    keyless: 'allow',
  } as const
  const budget = createBudget(memoryBytes)
  const largeBodies = createLargeBodies({
    threads: 2,
    bounds: settings,
    onLost(error) {
      throw error
    },
  })
  const refusals = createRefusals({ perSecond: 300, maxWaiting: 300 })
  const ingest = createIngestRoute({ wal, admission, telemetry, settings, budget, largeBodies, refusals, keys, now })
  const server = createServer((req, res) => void ingest(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    deadLetters,
    store,
    balance: () => ({
      ...balance(telemetry.counters, wal),
      flushFailures: telemetry.counters.flushFailures,
      refusedRequests: telemetry.counters.refusedRequests,
    }),
    waitingBytes: () => wal.waiting().bytes,
    async settled(timeoutMs = 60_000) {
      const deadline = Date.now() + timeoutMs
      while (wal.waiting().events > 0 && Date.now() < deadline) await sleep(10)
      const state = balance(telemetry.counters, wal)
      if (state.waiting > 0) throw new Error(`${state.waiting} events still wait after ${timeoutMs} ms`)
      if (state.imbalance !== 0 || state.lost !== 0) throw new Error(`the counters are wrong: ${JSON.stringify(state)}`)
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await largeBodies.close()
      admission.close()
      await writer.drain(10_000)
      await writer.close()
      await wal.close()
      await store.close()
    },
  }
}
