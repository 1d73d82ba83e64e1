import { cloudwatch } from '@pulumi/aws'
import { type Input, jsonStringify } from '@pulumi/pulumi'
import type { Watched } from './alarms.ts'
import { cloudfrontRegion } from './certificate.ts'
import { cdnMetric, instanceMetric, type Metric, machineMetric, serverMetric } from './metrics.ts'
import { isBurstable } from './server.ts'
import type { Stack } from './stack.ts'

interface Graph {
  title: string
  unit: string
  lines: { label: string; metric: Metric }[]
  region?: string
}

/** A CloudWatch dashboard: the way of an event from left to right, then the machine and CloudFront. */
export function createDashboard(stack: Stack, watched: Watched): cloudwatch.Dashboard {
  const graphs = graphsOf(stack, watched)
  return new cloudwatch.Dashboard('Dashboard', {
    dashboardName: stack.prefix,
    dashboardBody: jsonStringify({
      start: '-PT12H',
      widgets: graphs.map((graph, index) => widget(graph, index, stack.region)),
    }),
  })
}

function graphsOf(stack: Stack, { instanceId, distributionId }: Watched): Graph[] {
  const server = (...args: Parameters<typeof serverMetric> extends [Stack, unknown, ...infer Rest] ? Rest : never) =>
    serverMetric(stack, instanceId, ...args)
  return [
    {
      title: 'Events',
      unit: 'events a minute',
      lines: [
        { label: 'received', metric: server('veritas.ingest.events.received') },
        { label: 'stored, duplicate, rejected, dead', metric: server('veritas.ingest.events') },
        { label: 'lost', metric: server('veritas.ingest.events.lost') },
      ],
    },
    {
      title: 'Waiting for the store',
      unit: 'events',
      lines: [
        { label: 'waiting', metric: server('veritas.ingest.waiting') },
        { label: 'dead letters', metric: server('veritas.ingest.dead_letters') },
        { label: 'imbalance', metric: server('veritas.ingest.balance') },
      ],
    },
    {
      title: 'Oldest waiting event',
      unit: 'seconds',
      lines: [{ label: 'age', metric: server('veritas.ingest.oldest.age') }],
    },
    { title: 'Log', unit: 'bytes', lines: [{ label: 'waiting', metric: server('veritas.ingest.wal.bytes') }] },
    {
      title: 'Refusals and failures',
      unit: 'a minute',
      lines: [
        { label: 'posts refused', metric: server('veritas.ingest.requests.rejected') },
        { label: 'tries to store that failed', metric: server('veritas.ingest.flush.failures') },
        { label: 'answers 5xx', metric: server('veritas.http.failures') },
      ],
    },
    {
      title: 'Requests',
      unit: 'a minute',
      lines: [{ label: 'answered by the server', metric: server('veritas.http.requests') }],
    },
    {
      title: 'Store',
      unit: '1 is up',
      lines: [{ label: 'up', metric: server('veritas.store.up', 'Minimum') }],
    },
    {
      title: 'Machine',
      unit: '%',
      lines: [
        { label: 'processor', metric: instanceMetric(instanceId, 'CPUUtilization', 'Average') },
        { label: 'memory', metric: machineMetric(stack, instanceId, 'mem_used_percent') },
        { label: 'data volume', metric: machineMetric(stack, instanceId, 'disk_used_percent', '/var/lib/veritas') },
        { label: 'system volume', metric: machineMetric(stack, instanceId, 'disk_used_percent', '/') },
      ],
    },
    ...(isBurstable(stack.settings.instanceType)
      ? [
          {
            title: 'CPU credits',
            unit: 'credits',
            lines: [{ label: 'left', metric: instanceMetric(instanceId, 'CPUCreditBalance', 'Minimum') }],
          },
        ]
      : []),
    {
      title: 'CloudFront: requests',
      unit: 'a minute',
      region: cloudfrontRegion,
      lines: [{ label: 'requests', metric: cdnMetric(distributionId, 'Requests', 'Sum') }],
    },
    {
      title: 'CloudFront: failures',
      unit: '%',
      region: cloudfrontRegion,
      lines: [
        { label: '5xx', metric: cdnMetric(distributionId, '5xxErrorRate') },
        { label: '4xx', metric: cdnMetric(distributionId, '4xxErrorRate') },
      ],
    },
  ]
}

const WIDTH = 8
const HEIGHT = 6

function widget({ title, unit, lines, region }: Graph, index: number, here: Input<string>) {
  return {
    type: 'metric',
    x: (index % 3) * WIDTH,
    y: Math.floor(index / 3) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: {
      title,
      view: 'timeSeries',
      region: region ?? here,
      period: 60,
      yAxis: { left: { label: unit, min: 0, showUnits: false } },
      metrics: lines.map(({ label, metric: { namespace, name, dimensions, stat } }) => [
        namespace,
        name,
        ...Object.entries(dimensions).flat(),
        { label, stat },
      ]),
    },
  }
}
