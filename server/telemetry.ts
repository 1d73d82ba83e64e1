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
  /** Runs of jobs and backups by name ("export:default", "backup"), of all processes since the store was made. */
  jobs: Record<string, { succeeded: number; failed: number; lastSuccessAt: number | null }>
}

export interface Telemetry {
  log: pino.Logger
  counters: Counters
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
      jobs: {},
    },
  }
}
