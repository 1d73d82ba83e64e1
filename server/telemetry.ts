import pino from 'pino'

/** Every event that came through the door is in exactly one of: rejected, stored, duplicate, deadLettered, waiting. */
export interface Counters {
  received: number
  rejected: number
  stored: number
  duplicate: number
  deadLettered: number
  /** Requests refused as a whole, by status. */
  refusedRequests: Record<number, number>
  flushFailures: number
}

export interface Telemetry {
  log: pino.Logger
  counters: Counters
}

/** What of the events is where; `imbalance` is 0 while every accepted event is accounted for. */
export interface Balance {
  received: number
  /** Found waiting in logs of earlier or dead processes. */
  recovered: number
  rejected: number
  stored: number
  duplicate: number
  deadLettered: number
  waiting: number
  /** Lost to damaged files of the log. */
  lost: number
  imbalance: number
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

/** Log lines are JSON on standard output; keys, cookies and passwords never reach them. */
export function createTelemetry({ logLevel }: { logLevel: string }): Telemetry {
  return {
    log: pino({
      level: logLevel,
      redact: ['password', 'cookie', 'authorization', '*.password', '*.cookie', '*.authorization', 'req.headers'],
    }),
    counters: {
      received: 0,
      rejected: 0,
      stored: 0,
      duplicate: 0,
      deadLettered: 0,
      refusedRequests: {},
      flushFailures: 0,
    },
  }
}
