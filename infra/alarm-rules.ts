import type { MetricName, metrics } from '../server/telemetry/metrics/names.ts'

/** Metrics that are sent even with METRICS_SET=essential. */
export type EssentialMetric = {
  [Name in MetricName]: (typeof metrics)[Name] extends { essential: true } ? Name : never
}[MetricName]

/** page: wakes somebody up. ticket: can wait until the morning. */
export type Severity = 'page' | 'ticket'

/** The value that is compared with the threshold. */
export type Measured =
  /** The highest or lowest value of a gauge over all processes; magnitude: the largest absolute value. */
  | { kind: 'highest' | 'lowest' | 'magnitude'; metric: EssentialMetric }
  /** The increase of a counter during the period, summed over the series with these attributes. */
  | { kind: 'growth'; metric: EssentialMetric; where?: Record<string, string> }
  /** The counter's value: an event found at a process's start is in its first value, so it shows as no growth. */
  | { kind: 'ever'; metric: EssentialMetric }
  /** The increase of `part` as a percentage of that of `whole`, if `whole` grew by at least `atLeast` in the period. */
  | { kind: 'percent'; part: EssentialMetric; whole: EssentialMetric; atLeast: number }
  /** Seconds since the time that a gauge holds; 0 if it holds none. */
  | { kind: 'age'; metric: EssentialMetric }
  /** Above 0 if no process reports the metric. */
  | { kind: 'silence'; metric: EssentialMetric }

/** When to alert. CloudWatch alarms (server-alarms.ts) and Prometheus rules (grafana/rules.ts) are made from these. */
export interface AlarmRule {
  /** Lower case, with dashes. */
  name: string
  severity: Severity
  of: Measured
  when: '>' | '>=' | '<'
  threshold: number
  periodSeconds: number
  /** Number of consecutive periods. */
  periods: number
  /** One or two sentences: what the alarm means, and what happens in the meantime. */
  text: string
  /** Anchor of the section in docs/operators.md that says what to do. */
  runbook: string
}

/** All alarms on the server's own metrics. */
export const alarmRules: readonly AlarmRule[] = [
  {
    name: 'silence',
    severity: 'page',
    of: { kind: 'silence', metric: 'veritas.ingest.waiting' },
    when: '>',
    threshold: 0,
    periodSeconds: 60,
    periods: 10,
    text: 'For ten minutes the server told nothing of itself: it does not run, or what collects its metrics does not.',
    runbook: 'the-server-is-silent-fails-or-is-short-of-memory',
  },
  {
    name: 'waiting-events',
    severity: 'page',
    of: { kind: 'highest', metric: 'veritas.ingest.oldest.age' },
    when: '>',
    threshold: 300,
    periodSeconds: 60,
    periods: 3,
    text: 'Accepted events wait for more than five minutes: they are safe in the log, but figures are old. The store is away or too slow.',
    runbook: 'store-down',
  },
  {
    name: 'refused-posts',
    severity: 'page',
    of: { kind: 'growth', metric: 'veritas.ingest.requests.rejected', where: { reason: 'rate_limited' } },
    when: '>',
    threshold: 300,
    periodSeconds: 300,
    periods: 2,
    text: 'More than one post a second is answered with 429: clients are asked to come back later. The log is full, or one sender is above its limit.',
    runbook: 'posts-are-refused',
  },
  {
    name: 'flush-failures',
    severity: 'ticket',
    of: { kind: 'growth', metric: 'veritas.ingest.flush.failures' },
    when: '>',
    threshold: 0,
    periodSeconds: 300,
    periods: 3,
    text: 'For 15 minutes batches could not be stored at the first try. They are tried again; the log of the server has the cause.',
    runbook: 'store-down',
  },
  {
    name: 'imbalance',
    severity: 'page',
    of: { kind: 'magnitude', metric: 'veritas.ingest.balance' },
    when: '>',
    threshold: 0,
    periodSeconds: 60,
    periods: 5,
    text: 'The count of events does not add up: received + recovered is not rejected + stored + duplicate + dead letters + waiting + lost. A defect of Veritas: keep the logs.',
    runbook: 'the-balance-is-not-0-or-events-were-lost',
  },
  {
    name: 'lost-events',
    severity: 'page',
    of: { kind: 'ever', metric: 'veritas.ingest.events.lost' },
    when: '>',
    threshold: 0,
    periodSeconds: 60,
    periods: 1,
    text: 'Accepted events were lost to damaged files of the log. Keep the volume as it is and look at the log of the server.',
    runbook: 'the-balance-is-not-0-or-events-were-lost',
  },
  {
    name: 'audit-mismatches',
    severity: 'ticket',
    of: { kind: 'growth', metric: 'veritas.audit.mismatches' },
    when: '>',
    threshold: 0,
    periodSeconds: 300,
    periods: 1,
    text: 'The nightly audit, or a start, found figures that differ from their events. They were put right; the log of the server has what they were.',
    runbook: 'figures-were-wrong',
  },
  {
    name: 'dead-letters',
    severity: 'ticket',
    of: { kind: 'highest', metric: 'veritas.ingest.dead_letters' },
    when: '>',
    threshold: 0,
    periodSeconds: 300,
    periods: 3,
    text: 'The store would not take some events. They are kept: npm run dead-letters -- list.',
    runbook: 'dead-letters',
  },
  {
    name: 'server-failures',
    severity: 'page',
    of: { kind: 'percent', part: 'veritas.http.failures', whole: 'veritas.http.requests', atLeast: 50 },
    when: '>',
    threshold: 1,
    periodSeconds: 300,
    periods: 2,
    text: 'More than 1 % of at least 50 requests in 5 minutes ended in a failure of the server (5xx). Its log has each with its cause.',
    runbook: 'the-server-is-silent-fails-or-is-short-of-memory',
  },
  {
    name: 'store-away',
    severity: 'page',
    of: { kind: 'highest', metric: 'veritas.store.up' },
    when: '<',
    threshold: 1,
    periodSeconds: 60,
    periods: 5,
    text: 'The store has not answered for five minutes. Events are still taken and wait in the log; pages say so.',
    runbook: 'store-down',
  },
  {
    name: 'export-missing',
    severity: 'ticket',
    of: { kind: 'age', metric: 'veritas.export.last_success' },
    when: '>',
    threshold: 26 * 3600,
    periodSeconds: 300,
    periods: 3,
    text: 'The last daily export is more than 26 hours old. npm run export -- --day YYYY-MM-DD makes one; missed days are caught up.',
    runbook: 'export-or-backup-is-missing',
  },
  {
    name: 'export-never',
    severity: 'ticket',
    of: { kind: 'highest', metric: 'veritas.export.last_success' },
    when: '<',
    threshold: 1,
    periodSeconds: 3600,
    periods: 27,
    text: 'For 27 hours there has been no complete export at all. The log of the server says why.',
    runbook: 'export-or-backup-is-missing',
  },
  {
    name: 'backup-missing',
    severity: 'ticket',
    of: { kind: 'age', metric: 'veritas.backup.last_success' },
    when: '>',
    threshold: 30 * 3600,
    periodSeconds: 300,
    periods: 3,
    text: 'The last nightly copy of the database is more than 30 hours old. /var/log/veritas/backup.log says why; npm run backup makes one.',
    runbook: 'export-or-backup-is-missing',
  },
  {
    name: 'backup-never',
    severity: 'ticket',
    of: { kind: 'highest', metric: 'veritas.backup.last_success' },
    when: '<',
    threshold: 1,
    periodSeconds: 3600,
    periods: 31,
    text: 'For 31 hours there has been no copy of the database at all. /var/log/veritas/backup.log says why.',
    runbook: 'export-or-backup-is-missing',
  },
]
