import type { Writable } from 'node:stream'
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { createMeasures, type Measures } from './metrics/measures.ts'
import { printableLines } from './printable.ts'
import { redact } from './redaction.ts'

/** Every event that came through the door is in exactly one of: rejected, stored, duplicate, deadLettered, waiting. */
export interface Counters {
  received: number
  rejected: number
  stored: number
  duplicate: number
  deadLettered: number
  /** Of the duplicates, those that are not the event which has their id. */
  conflicts: number
  /** The same fates by event type; strangers' types count as "other" (typeCounts). */
  types: Record<string, TypeCounts>
  /** Requests refused as a whole, by status. */
  refusedRequests: Record<number, number>
  /** The same requests by the code of the error. */
  refusals: Record<string, number>
  flushFailures: number
  /** Closed days, users and totals whose figures differed from their events. */
  auditMismatches: number
  /** Batches on their way to the store now. */
  activeFlushes: number
  /** Runs of jobs and backups by name ("export:default", "backup"), of all processes since the store was made. */
  jobs: Record<string, { succeeded: number; failed: number; lastSuccessAt: number | null }>
}

export interface TypeCounts {
  rejected: number
  stored: number
  duplicate: number
  deadLettered: number
  /** Of those stored, the ones whose payload does not fit their type. */
  warned: number
}

/** Plain numbers that every room adds to; server/telemetry/metrics reads them when somebody looks. */
export interface Telemetry {
  log: pino.Logger
  counters: Counters
  measures: Measures
}

/** Log lines are JSON on standard output, redacted, without a character that a terminal obeys, with the trace and span in whose course they are written. */
export function createTelemetry({ logLevel, stream }: { logLevel: string; stream?: Writable }): Telemetry {
  const options: pino.LoggerOptions = {
    level: logLevel,
    redact: ['req.headers'],
    mixin: placeInTrace,
    hooks: { streamWrite: (line) => printableLines(redact(line)) },
  }
  return {
    log: stream ? pino(options, stream) : pino(options),
    counters: {
      received: 0,
      rejected: 0,
      stored: 0,
      duplicate: 0,
      deadLettered: 0,
      conflicts: 0,
      types: {},
      refusedRequests: {},
      refusals: {},
      flushFailures: 0,
      auditMismatches: 0,
      activeFlushes: 0,
      jobs: {},
    },
    measures: createMeasures(),
  }
}

/** The counts of a type of the catalogue; anything else belongs to "other", since strangers could send any number of types. */
export function typeCounts({ types }: Pick<Counters, 'types'>, type: string): TypeCounts {
  types[type] ??= { rejected: 0, stored: 0, duplicate: 0, deadLettered: 0, warned: 0 }
  return types[type]
}

/** Counts a request that was refused as a whole. */
export function countRefusal({ refusedRequests, refusals }: Counters, status: number, code: string): void {
  refusedRequests[status] = (refusedRequests[status] ?? 0) + 1
  refusals[code] = (refusals[code] ?? 0) + 1
}

/** What a batch came to; the shapes are those of the writer and the store. */
export interface StoredBatch {
  /** Requests of the batch, with when they came. */
  frames: readonly { receivedAt: number; events: number }[]
  stored: number
  duplicate: number
  types: Record<string, { stored: number; duplicate: number; warned: number }>
  conflicts: readonly unknown[]
  /** Those that became dead letters; null for what is no event any more. */
  letters: readonly { event: { type: string } | null }[]
  tookMs: number
}

/** Counts a batch that the store has, in one turn, so that the counters balance whenever anybody looks. */
export function countBatch({ counters, measures }: Telemetry, batch: StoredBatch, now: number): void {
  counters.stored += batch.stored
  counters.duplicate += batch.duplicate
  counters.deadLettered += batch.letters.length
  counters.conflicts += batch.conflicts.length
  for (const [type, { stored, duplicate, warned }] of Object.entries(batch.types)) {
    const counts = typeCounts(counters, type)
    counts.stored += stored
    counts.duplicate += duplicate
    counts.warned += warned
  }
  for (const { event } of batch.letters) typeCounts(counters, event?.type ?? 'other').deadLettered++
  let events = 0
  for (const frame of batch.frames) {
    events += frame.events
    measures.eventAge.add(Math.max(0, now - frame.receivedAt) / 1000, frame.events)
  }
  // One whose frames are damaged has none left.
  if (events === 0) return
  measures.flushSize.add(events)
  measures.flushDuration.add(batch.tookMs / 1000)
}

function placeInTrace(): object {
  const span = trace.getActiveSpan()?.spanContext()
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
}
