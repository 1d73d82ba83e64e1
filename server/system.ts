import type { Balance, SystemStatus } from '../trpc/schema/system.ts'
import type { Wal } from './ingest/wal/wal.ts'
import type { Counters, Telemetry } from './telemetry.ts'
import type { DeadLetters } from './writer/dead-letters.ts'

/** What the server knows of itself, for the pages and tools of those who run it. */
export interface System {
  status(): Promise<SystemStatus>
  deadLetters: DeadLetters
}

export function createSystem(parts: {
  wal: Wal
  telemetry: Telemetry
  deadLetters: DeadLetters
  version: string
}): System {
  const { wal, telemetry, deadLetters, version } = parts
  return {
    deadLetters,
    status: async () => ({
      balance: balance(telemetry.counters, wal),
      deadLetters: await deadLetters.count(),
      ackLevel: wal.ackLevel,
      version,
    }),
  }
}

/** The sum that must come out even: received + recovered = rejected + stored + duplicate + deadLettered + waiting + lost. */
export function balance(
  { received, rejected, stored, duplicate, deadLettered }: Counters,
  log: { waiting(): { events: number }; recovered(): number; damaged(): { events: number } },
): Balance {
  const recovered = log.recovered()
  const waiting = log.waiting().events
  const lost = log.damaged().events
  const imbalance = received + recovered - rejected - stored - duplicate - deadLettered - waiting - lost
  return { received, recovered, rejected, stored, duplicate, deadLettered, waiting, lost, imbalance }
}
