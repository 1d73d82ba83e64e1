import { average, type Dashboard, each, gauge, inADay, quantile, rate, times } from './panels.ts'

const quantiles = (metric: Parameters<typeof quantile>[1]) => [
  { legend: 'p50', expr: quantile(0.5, metric) },
  { legend: 'p95', expr: quantile(0.95, metric) },
  { legend: 'p99', expr: quantile(0.99, metric) },
]

/** From receiving events to the log: rates, rejections, duration of a commit. */
const ingest: Dashboard = {
  uid: 'veritas-ingest',
  title: 'Veritas: ingest',
  panels: [
    {
      title: 'Events',
      text: 'Events in requests that were answered, a second.',
      unit: 'eps',
      single: true,
      lines: [{ legend: 'received', expr: rate('veritas.ingest.events.received') }],
    },
    {
      title: 'Waiting',
      text: 'Accepted events that are not in the store yet.',
      unit: 'short',
      single: true,
      limit: 100_000,
      lines: [{ legend: 'waiting', expr: gauge('sum', 'veritas.ingest.waiting') }],
    },
    {
      title: 'Oldest',
      text: 'How long the oldest accepted event has waited.',
      unit: 's',
      single: true,
      limit: 60,
      lines: [{ legend: 'oldest', expr: gauge('max', 'veritas.ingest.oldest.age') }],
    },
    {
      title: 'Not accounted for',
      text: 'Anything but 0 is a defect.',
      unit: 'short',
      single: true,
      limit: 1,
      lines: [{ legend: 'imbalance', expr: gauge('sum', 'veritas.ingest.balance') }],
    },
    {
      title: 'Dead letters',
      text: 'Events that the store would not take, kept to be replayed or discarded. Each process counts the same folder.',
      unit: 'short',
      single: true,
      limit: 1,
      lines: [{ legend: 'letters', expr: gauge('max', 'veritas.ingest.dead_letters') }],
    },
    {
      title: 'One id for two events',
      text: 'Duplicates of the last day that are not the event which has their id: the first one stays. npm run dead-letters -- conflicts lists them.',
      unit: 'short',
      single: true,
      limit: 1,
      lines: [{ legend: 'events', expr: inADay('veritas.ingest.events.conflicting') }],
    },
    {
      title: 'Lost',
      text: 'Events lost to damaged files of the log in the last day.',
      unit: 'short',
      single: true,
      limit: 1,
      lines: [
        {
          legend: 'lost',
          expr: inADay('veritas.ingest.events.lost'),
        },
      ],
    },
    {
      title: 'Fates of events',
      text: 'Where events end: stored, known already, refused by the door, kept as dead letters.',
      unit: 'eps',
      stacked: true,
      width: 12,
      lines: [{ legend: '{{outcome}}', expr: rate('veritas.ingest.events', {}, 'outcome') }],
    },
    {
      title: 'Posts refused',
      text: 'By the code of the error. rate_limited: too much comes. unauthenticated: a wrong key.',
      unit: 'reqps',
      stacked: true,
      width: 12,
      lines: [{ legend: '{{reason}}', expr: rate('veritas.ingest.requests.rejected', {}, 'reason') }],
    },
    {
      title: 'Time of a post',
      text: 'From the headers of a post to the end of its answer.',
      unit: 's',
      lines: [
        { legend: 'p50', expr: quantileOfPosts(0.5) },
        { legend: 'p99', expr: quantileOfPosts(0.99) },
      ],
    },
    {
      title: 'Time of a commit',
      text: 'The write to the log and its sync: the floor of every post.',
      unit: 's',
      lines: quantiles('veritas.ingest.commit.duration'),
    },
    {
      title: 'Events in a commit',
      text: 'More events in one sync of the disk: cheaper.',
      unit: 'short',
      lines: [{ legend: 'average', expr: average('veritas.ingest.commit.size') }],
    },
    {
      title: 'Only in memory',
      text: 'Events on their way to the disk, and how many may be.',
      unit: 'short',
      lines: [
        { legend: '{{instance}}', expr: each('veritas.ingest.buffer.size') },
        { legend: 'limit', expr: gauge('min', 'veritas.ingest.buffer.limit') },
      ],
    },
    {
      title: 'Log',
      text: 'Bytes that wait for the store, and how many may.',
      unit: 'bytes',
      lines: [
        { legend: '{{instance}}', expr: each('veritas.ingest.wal.bytes') },
        { legend: 'limit', expr: gauge('min', 'veritas.ingest.wal.limit') },
      ],
    },
    {
      title: 'Takes events',
      text: '1 while posts are taken.',
      unit: 'short',
      lines: [{ legend: '{{instance}}', expr: each('veritas.ingest.accepting') }],
    },
  ],
}

function quantileOfPosts(share: number): string {
  return quantile(share, 'http.server.request.duration', undefined, { 'http.route': '/events' })
}

/** From the log to the store, and the store's queries. */
const store: Dashboard = {
  uid: 'veritas-store',
  title: 'Veritas: store',
  panels: [
    {
      title: 'Store',
      text: '1 while it answers within a second.',
      unit: 'short',
      single: true,
      lines: [{ legend: 'up', expr: gauge('min', 'veritas.store.up') }],
    },
    {
      title: 'Age of events when stored, p95',
      text: 'How fresh figures are.',
      unit: 's',
      single: true,
      width: 6,
      limit: 60,
      lines: [{ legend: 'p95', expr: quantile(0.95, 'veritas.ingest.event.age') }],
    },
    {
      title: 'Batches on their way',
      text: 'Always at FLUSH_CONCURRENCY: the store is the bottleneck.',
      unit: 'short',
      single: true,
      width: 6,
      lines: [{ legend: 'active', expr: gauge('sum', 'veritas.ingest.flush.active') }],
    },
    {
      title: 'Failed tries',
      text: 'Batches that could not be stored at the first try, a second.',
      unit: 'cps',
      single: true,
      width: 6,
      limit: 0.01,
      lines: [{ legend: 'failures', expr: rate('veritas.ingest.flush.failures') }],
    },
    {
      title: 'Time of a batch',
      text: 'From taking it out of the log until the store has it.',
      unit: 's',
      lines: quantiles('veritas.ingest.flush.duration'),
    },
    {
      title: 'Events in a batch',
      text: 'At FLUSH_EVENTS all the time: more comes than the store takes.',
      unit: 'short',
      lines: [{ legend: 'average', expr: average('veritas.ingest.flush.batch_size') }],
    },
    {
      title: 'Age of events when stored',
      text: 'From their arrival.',
      unit: 's',
      lines: quantiles('veritas.ingest.event.age'),
    },
    {
      title: 'Operations',
      text: 'Commands to MongoDB, or questions and writes to SQLite, a second.',
      unit: 'cps',
      width: 12,
      lines: [{ legend: '{{db_operation_name}}', expr: times('db.client.operation.duration', 'db.operation.name') }],
    },
    {
      title: 'Time of an operation, p95',
      text: 'Waiting for a connection or a thread included.',
      unit: 's',
      width: 12,
      lines: [
        { legend: '{{db_operation_name}}', expr: quantile(0.95, 'db.client.operation.duration', 'db.operation.name') },
      ],
    },
    {
      title: 'Found in old logs',
      text: 'Events that were waiting in logs of processes that had ended.',
      unit: 'eps',
      lines: [{ legend: 'recovered', expr: rate('veritas.ingest.events.recovered') }],
    },
    {
      title: 'Copies',
      text: 'Seconds since the last complete export and backup; as long as the server runs where there was none.',
      unit: 'dtdurations',
      lines: [
        { legend: 'export', expr: `time() - ${gauge('max', 'veritas.export.last_success')}` },
        { legend: 'backup', expr: `time() - ${gauge('max', 'veritas.backup.last_success')}` },
      ],
    },
    {
      title: 'Runs of exports and backups',
      text: 'By what came of them.',
      unit: 'short',
      lines: [
        { legend: 'export {{outcome}}', expr: rate('veritas.export.runs', {}, 'outcome') },
        { legend: 'backup {{outcome}}', expr: rate('veritas.backup.runs', {}, 'outcome') },
      ],
    },
  ],
}

/** Pages, procedures and the server's processes. */
const web: Dashboard = {
  uid: 'veritas-web',
  title: 'Veritas: web and processes',
  panels: [
    {
      title: 'Requests',
      text: 'By route, a second; posts of events included.',
      unit: 'reqps',
      stacked: true,
      width: 12,
      lines: [{ legend: '{{http_route}}', expr: times('http.server.request.duration', 'http.route') }],
    },
    {
      title: 'Time of a request, p95',
      text: 'By route, from the headers to the end of the answer.',
      unit: 's',
      width: 12,
      lines: [{ legend: '{{http_route}}', expr: quantile(0.95, 'http.server.request.duration', 'http.route') }],
    },
    {
      title: 'Failures',
      text: 'Answers with 500 or above, as a share of all.',
      unit: 'percentunit',
      limit: 0.01,
      lines: [{ legend: 'failures', expr: `${rate('veritas.http.failures')} / ${rate('veritas.http.requests')}` }],
    },
    {
      title: 'Answers by status',
      text: 'Nothing where the client left first.',
      unit: 'reqps',
      stacked: true,
      lines: [
        {
          legend: '{{http_response_status_code}}',
          expr: times('http.server.request.duration', 'http.response.status_code'),
        },
      ],
    },
    {
      title: 'Lateness of the loop, p99',
      text: 'Above 100 ms something computes where requests are answered.',
      unit: 's',
      limit: 0.1,
      lines: [{ legend: '{{instance}}', expr: each('nodejs.eventloop.delay.p99') }],
    },
    {
      title: 'Busy',
      text: 'Share of the time in which the loop works; one process is full at 1.',
      unit: 'percentunit',
      lines: [{ legend: '{{instance}}', expr: each('nodejs.eventloop.utilization') }],
    },
    {
      title: 'Processors',
      text: 'How many are used.',
      unit: 'short',
      stacked: true,
      lines: [{ legend: '{{cpu_mode}}', expr: rate('process.cpu.time', {}, 'cpu.mode') }],
    },
    {
      title: 'Memory',
      text: 'Resident set, and the heap of what lives long.',
      unit: 'bytes',
      lines: [
        { legend: '{{instance}}', expr: each('process.memory.usage') },
        { legend: '{{instance}} heap', expr: each('v8js.memory.heap.used', { 'v8js.heap.space.name': 'old_space' }) },
      ],
    },
    {
      title: 'Garbage collections, p99',
      text: 'By kind; long major ones hold up every request.',
      unit: 's',
      lines: [{ legend: '{{v8js_gc_type}}', expr: quantile(0.99, 'v8js.gc.duration', 'v8js.gc.type') }],
    },
    {
      title: 'Open files and connections',
      text: 'By process.',
      unit: 'short',
      lines: [{ legend: '{{instance}}', expr: each('process.open_file_descriptor.count') }],
    },
    {
      title: 'Running for',
      text: 'A fall is a new start.',
      unit: 'dtdurations',
      lines: [{ legend: '{{instance}}', expr: each('process.uptime') }],
    },
  ],
}

/** Activity of the shops as far as metrics show it; the exact figures are in Veritas. */
const shop: Dashboard = {
  uid: 'veritas-shop',
  title: 'Veritas: shop health',
  panels: [
    {
      title: 'Orders',
      text: 'Purchases that were stored, an hour.',
      unit: 'short',
      single: true,
      width: 6,
      lines: [{ legend: 'orders', expr: perHour('purchase') }],
    },
    {
      title: 'Sessions',
      text: 'Sessions that were begun, an hour.',
      unit: 'short',
      single: true,
      width: 6,
      lines: [{ legend: 'sessions', expr: perHour('session_start') }],
    },
    {
      title: 'Page views',
      text: 'An hour.',
      unit: 'short',
      single: true,
      width: 6,
      lines: [{ legend: 'views', expr: perHour('page_view') }],
    },
    {
      title: 'Searches',
      text: 'An hour.',
      unit: 'short',
      single: true,
      width: 6,
      lines: [{ legend: 'searches', expr: perHour('search') }],
    },
    {
      title: 'Events by type',
      text: 'A type that falls to nothing while others go on: that part of the shop no longer sends.',
      unit: 'eps',
      stacked: true,
      width: 24,
      lines: [{ legend: '{{event_type}}', expr: rate('veritas.ingest.events', { outcome: 'stored' }, 'event_type') }],
    },
    {
      title: 'Refused events by type',
      text: 'After a release of the shop: what it sends is no longer valid.',
      unit: 'eps',
      stacked: true,
      width: 12,
      lines: [{ legend: '{{event_type}}', expr: rate('veritas.ingest.events', { outcome: 'rejected' }, 'event_type') }],
    },
    {
      title: 'Events whose payload does not fit',
      text: 'They count as events; a purchase counts as an order where its order id, revenue and currency can be read.',
      unit: 'eps',
      stacked: true,
      width: 12,
      lines: [{ legend: '{{event_type}}', expr: rate('veritas.ingest.events.warned', {}, 'event_type') }],
    },
  ],
}

function perHour(type: string): string {
  return `3600 * ${rate('veritas.ingest.events', { outcome: 'stored', event_type: type })}`
}

export const dashboards: readonly Dashboard[] = [ingest, store, web, shop]
