import type { Admission } from '../../ingest/admission.ts'
import type { Wal } from '../../ingest/wal/wal.ts'
import type { DeadLetters } from '../../writer/dead-letters.ts'
import { balance } from '../system.ts'
import type { Counters, Telemetry } from '../telemetry.ts'
import type { Source } from './instruments.ts'

export interface ServerParts {
  telemetry: Telemetry
  wal: Wal
  admission: Pick<Admission, 'open'>
  deadLetters: Pick<DeadLetters, 'count'>
  limits: { bufferEvents: number; walBytes: number }
  /** Whether the store answers within a second. */
  storeAnswers(): Promise<boolean>
  now: () => number
}

/** The parts of this server as metrics. What belongs together is read in one turn, so that it balances. */
export function serverSources(parts: ServerParts): Source[] {
  const { telemetry, wal, admission, deadLetters, limits, storeAnswers, now } = parts
  return [
    (observe) => {
      const { counters } = telemetry
      const { received, recovered, conflicts, lost, imbalance } = balance(counters, wal)
      observe('veritas.ingest.events.received', received)
      observe('veritas.ingest.events.recovered', recovered)
      observe('veritas.ingest.events.conflicting', conflicts)
      observe('veritas.ingest.events.lost', lost)
      observe('veritas.ingest.balance', imbalance)
      for (const [type, { rejected, stored, duplicate, deadLettered, warned }] of Object.entries(counters.types)) {
        const fates = { rejected, stored, duplicate, dead_letter: deadLettered }
        for (const [outcome, events] of Object.entries(fates))
          if (events > 0) observe('veritas.ingest.events', events, { outcome, event_type: type })
        if (warned > 0) observe('veritas.ingest.events.warned', warned, { event_type: type })
      }
      for (const [reason, requests] of Object.entries(counters.refusals))
        observe('veritas.ingest.requests.rejected', requests, { reason })
      const waiting = wal.waiting()
      observe('veritas.ingest.accepting', admission.open ? 1 : 0)
      observe('veritas.ingest.buffer.size', wal.uncommitted())
      observe('veritas.ingest.buffer.limit', limits.bufferEvents)
      observe('veritas.ingest.waiting', waiting.events)
      observe('veritas.ingest.wal.bytes', waiting.bytes)
      observe('veritas.ingest.wal.limit', limits.walBytes)
      const age = waiting.oldestAt === null ? 0 : Math.max(0, now() - waiting.oldestAt)
      observe('veritas.ingest.oldest.age', age / 1000)
      observe('veritas.ingest.flush.active', counters.activeFlushes)
      observe('veritas.ingest.flush.failures', counters.flushFailures)
      observe('veritas.audit.mismatches', counters.auditMismatches)
    },
    (observe) => {
      let requests = 0
      let failures = 0
      for (const { attributes, histogram } of telemetry.measures.requests) {
        requests += histogram.count
        if (Number(attributes['http.response.status_code']) >= 500) failures += histogram.count
      }
      observe('veritas.http.requests', requests)
      observe('veritas.http.failures', failures)
    },
    (observe) => {
      const exports = jobsOf(telemetry.counters, 'export')
      observe('veritas.export.runs', exports.succeeded, { outcome: 'succeeded' })
      observe('veritas.export.runs', exports.failed, { outcome: 'failed' })
      // A server that is to export nothing has none to miss.
      if (exports.lastSuccessAt !== null) observe('veritas.export.last_success', exports.lastSuccessAt / 1000)
      const backups = jobsOf(telemetry.counters, 'backup')
      observe('veritas.backup.runs', backups.succeeded, { outcome: 'succeeded' })
      observe('veritas.backup.runs', backups.failed, { outcome: 'failed' })
      observe('veritas.backup.last_success', (backups.lastSuccessAt ?? 0) / 1000)
    },
    async (observe) => observe('veritas.ingest.dead_letters', await deadLetters.count()),
    async (observe) => observe('veritas.store.up', (await storeAnswers()) ? 1 : 0),
  ]
}

/** The runs of a job over all sites ("export:default", "export:second"). The oldest last success is what to worry about; null for a job that was never begun. */
function jobsOf({ jobs }: Pick<Counters, 'jobs'>, kind: string) {
  const sum: { succeeded: number; failed: number; lastSuccessAt: number | null } = {
    succeeded: 0,
    failed: 0,
    lastSuccessAt: null,
  }
  for (const [name, { succeeded, failed, lastSuccessAt }] of Object.entries(jobs)) {
    if (name !== kind && !name.startsWith(`${kind}:`)) continue
    sum.succeeded += succeeded
    sum.failed += failed
    sum.lastSuccessAt = Math.min(sum.lastSuccessAt ?? Number.POSITIVE_INFINITY, lastSuccessAt ?? 0)
  }
  return sum
}
