/** What can be measured of a running Veritas. This list is read by instruments, dashboards, alarms, documents and tests. */
export interface MetricSpec {
  /** counter: only grows. gauge: the value now. histogram: how many measurements fell into each bucket. */
  kind: 'counter' | 'gauge' | 'histogram'
  /** As OpenTelemetry writes units: s seconds, By bytes, 1 a share, {event} a count of events. */
  unit: string
  attributes: readonly string[]
  /** One sentence: what it is. */
  text: string
  /** Few enough, and with so few attributes, that a service which bills each series can have them (METRICS_SET=essential). */
  essential?: true
}

/** Names, units and attributes follow OpenTelemetry's conventions where there is one. Never a user id or a raw path. */
export const metrics = {
  // From the door to the store.
  'veritas.ingest.events.received': {
    kind: 'counter',
    unit: '{event}',
    attributes: [],
    text: 'Events in requests that were answered, accepted or not.',
    essential: true,
  },
  'veritas.ingest.events': {
    kind: 'counter',
    unit: '{event}',
    attributes: ['outcome', 'event_type'],
    text: 'Events whose fate is decided: outcome is rejected, stored, duplicate or dead_letter; a type that is not in the catalogue is "other".',
    essential: true,
  },
  'veritas.ingest.events.warned': {
    kind: 'counter',
    unit: '{event}',
    attributes: ['event_type'],
    text: 'Events stored although their payload does not fit their type. A purchase among them counts as an order where its order id, revenue and currency can be read.',
  },
  'veritas.ingest.events.conflicting': {
    kind: 'counter',
    unit: '{event}',
    attributes: [],
    text: 'Duplicates that are not the event which has their id: a client used an eventId for two events.',
  },
  'veritas.ingest.events.recovered': {
    kind: 'counter',
    unit: '{event}',
    attributes: [],
    text: 'Events found waiting in logs of earlier or dead processes.',
  },
  'veritas.ingest.events.lost': {
    kind: 'counter',
    unit: '{event}',
    attributes: [],
    text: 'Accepted events lost to damaged files of the log.',
    essential: true,
  },
  'veritas.ingest.requests.rejected': {
    kind: 'counter',
    unit: '{request}',
    attributes: ['reason'],
    text: 'Posts of events refused as a whole, by the code of the error (invalid_input, unauthenticated, too_large, rate_limited, unavailable, …).',
    essential: true,
  },
  'veritas.ingest.accepting': {
    kind: 'gauge',
    unit: '1',
    attributes: [],
    text: '1 while posts of events are taken, 0 while they are refused.',
  },
  'veritas.ingest.buffer.size': {
    kind: 'gauge',
    unit: '{event}',
    attributes: [],
    text: 'Events that are only in memory: on their way to the disk, and with INGEST_ACK=memory to the store.',
  },
  'veritas.ingest.buffer.limit': {
    kind: 'gauge',
    unit: '{event}',
    attributes: [],
    text: 'Events that may be only in memory (INGEST_BUFFER_EVENTS); above it posts are answered with 429.',
  },
  'veritas.ingest.waiting': {
    kind: 'gauge',
    unit: '{event}',
    attributes: [],
    text: 'Accepted events that are not in the store yet.',
    essential: true,
  },
  'veritas.ingest.oldest.age': {
    kind: 'gauge',
    unit: 's',
    attributes: [],
    text: 'How long the oldest accepted event has waited for the store; 0 when none waits.',
    essential: true,
  },
  'veritas.ingest.wal.bytes': {
    kind: 'gauge',
    unit: 'By',
    attributes: [],
    text: 'Bytes in the log that wait for the store.',
    essential: true,
  },
  'veritas.ingest.wal.limit': {
    kind: 'gauge',
    unit: 'By',
    attributes: [],
    text: 'Bytes that may wait in the log (WAL_MAX_BYTES); above it posts are answered with 429.',
  },
  'veritas.ingest.balance': {
    kind: 'gauge',
    unit: '{event}',
    attributes: [],
    text: 'received + recovered − rejected − stored − duplicate − dead letters − waiting − lost: anything but 0 is a defect.',
    essential: true,
  },
  'veritas.ingest.commit.size': {
    kind: 'histogram',
    unit: '{event}',
    attributes: [],
    text: 'Events made safe by one commit of the log.',
  },
  'veritas.ingest.commit.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: [],
    text: 'Time of one commit of the log: the write and, with INGEST_ACK=fsync, the sync of the disk.',
  },
  'veritas.ingest.flush.batch_size': {
    kind: 'histogram',
    unit: '{event}',
    attributes: [],
    text: 'Events in one batch that the store took.',
  },
  'veritas.ingest.flush.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: [],
    text: 'Time from taking a batch out of the log until the store has it, tries that failed included.',
  },
  'veritas.ingest.flush.active': {
    kind: 'gauge',
    unit: '{batch}',
    attributes: [],
    text: 'Batches on their way to the store.',
  },
  'veritas.ingest.flush.failures': {
    kind: 'counter',
    unit: '{failure}',
    attributes: [],
    text: 'Tries to store a batch that failed and are made again.',
    essential: true,
  },
  'veritas.ingest.event.age': {
    kind: 'histogram',
    unit: 's',
    attributes: [],
    text: 'Time from the arrival of an event until it is in the store.',
  },
  'veritas.ingest.dead_letters': {
    kind: 'gauge',
    unit: '{event}',
    attributes: [],
    text: 'Events kept as dead letters, to be replayed or discarded.',
    essential: true,
  },

  // Questions.
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['http.request.method', 'http.route', 'http.response.status_code'],
    text: 'Time from the headers of a request to the end of its answer, by route template.',
  },
  'veritas.http.failures': {
    kind: 'counter',
    unit: '{request}',
    attributes: [],
    text: 'Requests answered with a status of 500 or above, posts of events included.',
    essential: true,
  },
  'veritas.http.requests': {
    kind: 'counter',
    unit: '{request}',
    attributes: [],
    text: 'Requests answered, posts of events included.',
    essential: true,
  },
  'db.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['db.system.name', 'db.operation.name', 'db.collection.name', 'error.type'],
    text: 'Time of one command to MongoDB, or of one question or write to SQLite, waiting for a free thread included.',
  },
  'veritas.store.up': {
    kind: 'gauge',
    unit: '1',
    attributes: [],
    text: '1 while the store answers within a second, else 0.',
    essential: true,
  },

  // The daily export, the backup and the audit.
  'veritas.audit.mismatches': {
    kind: 'counter',
    unit: '{mismatch}',
    attributes: [],
    text: 'Days, users and totals whose figures the nightly audit, or a start, found to differ from their events, or that were passed over.',
    essential: true,
  },
  'veritas.export.runs': {
    kind: 'counter',
    unit: '{run}',
    attributes: ['outcome'],
    text: 'Runs of the daily export: outcome is succeeded or failed.',
  },
  'veritas.export.last_success': {
    kind: 'gauge',
    unit: 's',
    attributes: [],
    text: 'When the last export of a day was complete, in seconds since 1970; 0 when none was yet, nothing where none is made.',
    essential: true,
  },
  'veritas.backup.runs': {
    kind: 'counter',
    unit: '{run}',
    attributes: ['outcome'],
    text: 'Runs of the backup: outcome is succeeded or failed.',
  },
  'veritas.backup.last_success': {
    kind: 'gauge',
    unit: 's',
    attributes: [],
    text: 'When the last backup was complete, in seconds since 1970; 0 when none was yet.',
    essential: true,
  },

  // The process.
  'process.cpu.time': {
    kind: 'counter',
    unit: 's',
    attributes: ['cpu.mode'],
    text: 'Processor time used, by mode (user, system).',
  },
  'process.memory.usage': {
    kind: 'gauge',
    unit: 'By',
    attributes: [],
    text: 'Memory that the process holds (resident set).',
  },
  'process.uptime': { kind: 'gauge', unit: 's', attributes: [], text: 'How long the process has run.' },
  'process.open_file_descriptor.count': {
    kind: 'gauge',
    unit: '{file_descriptor}',
    attributes: [],
    text: 'Open files and connections; only on Linux.',
  },
  'nodejs.eventloop.delay.mean': {
    kind: 'gauge',
    unit: 's',
    attributes: [],
    text: 'How late the event loop was, on average since the last look.',
  },
  'nodejs.eventloop.delay.p99': {
    kind: 'gauge',
    unit: 's',
    attributes: [],
    text: 'How late the event loop was in the worst hundredth since the last look.',
  },
  'nodejs.eventloop.delay.max': {
    kind: 'gauge',
    unit: 's',
    attributes: [],
    text: 'How late the event loop was at worst since the last look.',
  },
  'nodejs.eventloop.utilization': {
    kind: 'gauge',
    unit: '1',
    attributes: [],
    text: 'Share of time in which the event loop worked since the last look, 0 to 1.',
  },
  'v8js.memory.heap.used': {
    kind: 'gauge',
    unit: 'By',
    attributes: ['v8js.heap.space.name'],
    text: 'Heap memory in use, by space.',
  },
  'v8js.memory.heap.limit': {
    kind: 'gauge',
    unit: 'By',
    attributes: ['v8js.heap.space.name'],
    text: 'Heap memory reserved, by space.',
  },
  'v8js.gc.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['v8js.gc.type'],
    text: 'Time of one garbage collection, by kind (major, minor, incremental, weakcb).',
  },
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof metrics

/** The same metric as Prometheus has it. Histograms have _bucket, _sum and _count of it. */
export function prometheusName(name: MetricName): string {
  const plain = name.replaceAll('.', '_')
  return metrics[name].kind === 'counter' ? `${plain}_total` : plain
}

/** The name of an attribute as Prometheus has it. */
export function prometheusLabel(attribute: string): string {
  return attribute.replaceAll('.', '_')
}
