import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { type MetricName, metrics } from '../server/telemetry/metrics/names.ts'
import type { Recorded } from './mocks.ts'
import { type RecordedStack, recordStack } from './recorded-stack.ts'
import { scenarios } from './scenarios.ts'

interface Agent {
  metrics: {
    namespace: string
    aggregation_dimensions: string[][]
    metrics_collected: Record<string, { measurement?: string[]; resources?: string[] }>
  }
}
const agent = JSON.parse(
  readFileSync(fileURLToPath(new URL('./box/cloudwatch-agent.json', import.meta.url)), 'utf8'),
) as Agent

/** Metrics that AWS provides, with their dimensions. */
const ofAws: Record<string, { names: string[]; dimensions: string[] }> = {
  'AWS/EC2': {
    names: [
      'StatusCheckFailed',
      'StatusCheckFailed_System',
      'CPUCreditBalance',
      'CPUSurplusCreditsCharged',
      'CPUUtilization',
    ],
    dimensions: ['InstanceId'],
  },
  'AWS/CloudFront': { names: ['5xxErrorRate', '4xxErrorRate', 'Requests'], dimensions: ['DistributionId', 'Region'] },
  'AWS/EBS': { names: ['SnapshotsCreateFailed', 'SnapshotsCreateCompleted'], dimensions: ['DLMPolicyId'] },
}

interface Asked {
  namespace: string
  metricName: string
  dimensions: Record<string, string>
  stat: string
}

/** Why CloudWatch would never have data for a metric; null if it would. */
function missing({ namespace, metricName, dimensions, stat }: Asked, stage: string): string | null {
  const names = Object.keys(dimensions).sort()
  const aws = ofAws[namespace]
  if (aws) {
    if (!aws.names.includes(metricName)) return `${namespace} has no ${metricName}`
    return names.join() === [...aws.dimensions].sort().join() ? null : `${metricName} has not the dimensions ${names}`
  }
  if (namespace !== agent.metrics.namespace.replace('@STAGE@', stage)) return `nobody writes to ${namespace}`
  if (!agent.metrics.aggregation_dimensions.some((group) => [...group].sort().join() === names.join()))
    return `the agent does not add ${metricName} up by ${names}`
  const { metrics_collected: collected } = agent.metrics
  const machine = Object.values(collected).find(({ measurement }) => measurement?.includes(metricName))
  if (machine) return !dimensions.path || machine.resources?.includes(dimensions.path) ? null : `no ${dimensions.path}`
  if (!(metricName in metrics)) return `server/telemetry/metrics/names.ts has no ${metricName}`
  const spec: { kind: string; essential?: boolean } = metrics[metricName as MetricName]
  if (!spec.essential) return `${metricName} is not essential, so the server does not send it`
  return spec.kind === 'counter' && stat !== 'Sum' ? `${metricName} only grows: its ${stat} says nothing` : null
}

function askedBy({ inputs }: Recorded): Asked[] {
  if (inputs.metricName) return [{ ...(inputs as unknown as Asked), stat: inputs.statistic as string }]
  const queries = inputs.metricQueries as { id: string; expression?: string; metric?: Asked }[]
  return queries.flatMap(({ metric }) => (metric ? [metric] : []))
}

describe.each(scenarios)('alarms of $stage', ({ stage, environment }) => {
  let stack: RecordedStack
  let alarms: Recorded[]
  beforeAll(async () => {
    stack = await recordStack({ stage, environment })
    alarms = stack.of('cloudwatch/metricAlarm:MetricAlarm')
  })

  it('are those of the design', () => {
    const isBurstable = !environment.VERITAS_INSTANCE_TYPE?.startsWith('m')
    expect(alarms.map(({ inputs }) => (inputs.name as string).slice(`veritas-${stage}-`.length)).sort()).toEqual(
      [
        'audit-mismatches',
        'backup-missing',
        'backup-never',
        'cdn-failures',
        ...(isBurstable ? ['cpu-credits'] : []),
        'data-disk',
        'dead-letters',
        'export-missing',
        'export-never',
        'flush-failures',
        'hardware-broken',
        'imbalance',
        'instance-down',
        'lost-events',
        'memory',
        'refused-posts',
        'server-failures',
        'silence',
        'snapshot-failed',
        'store-away',
        'system-disk',
        'waiting-events',
      ].sort(),
    )
  })

  it('point at metrics that exist', () => {
    for (const alarm of alarms) for (const asked of askedBy(alarm)) expect(missing(asked, stage), alarm.name).toBeNull()
  })

  it('use in expressions what they ask for, and nothing else', () => {
    for (const { name, inputs } of alarms) {
      const queries = inputs.metricQueries as { id: string; expression?: string; metric?: Asked }[] | undefined
      const expression = queries?.find((query) => query.expression)?.expression
      if (!queries || !expression || expression.startsWith('SELECT')) continue
      const ids = queries.filter(({ metric }) => metric).map(({ id }) => id)
      const words = expression.match(/\b[a-z]\w*/g) ?? []
      expect([...new Set(words)].sort(), name).toEqual(ids.sort())
    }
  })

  it('ask in queries for a metric and an attribute that the server sends', () => {
    const selects = alarms.flatMap(({ inputs }) =>
      ((inputs.metricQueries ?? []) as { expression?: string }[]).flatMap(({ expression }) =>
        expression?.startsWith('SELECT') ? [expression] : [],
      ),
    )
    expect(selects).toHaveLength(1)
    for (const select of selects) {
      const found = /^SELECT SUM\("([\w.]+)"\) FROM "([\w/-]+)" WHERE (\w+) = '(\w+)'$/.exec(select)
      const [, name, namespace, attribute] = found ?? []
      const spec: { attributes: readonly string[]; essential?: boolean } | undefined = metrics[name as MetricName]
      expect(spec?.essential, select).toBe(true)
      expect(spec?.attributes, select).toContain(attribute)
      expect(namespace).toBe(`Veritas/${stage}`)
    }
  })

  it('say what they mean and call somebody, also when all is well again', () => {
    for (const { name, inputs } of alarms) {
      expect((inputs.alarmDescription as string).length, name).toBeGreaterThan(40)
      const topic = inputs.region === 'us-east-1' ? 'arn:mock:CloudFrontAlarms' : 'arn:mock:Alarms'
      expect(inputs.alarmActions, name).toContain(topic)
      // Repairs must not run when the alarm clears.
      expect(inputs.okActions, name).toEqual([topic])
    }
    const subscriptions = stack.of('sns/topicSubscription:TopicSubscription')
    expect(subscriptions.map(({ inputs }) => inputs.endpoint)).toEqual(
      environment.VERITAS_ALARM_EMAIL ? ['ops@example.com', 'ops@example.com'] : [],
    )
  })

  it('mind silence only where it is a fault, and look no further back than CloudWatch does', () => {
    const minding = alarms.filter(({ inputs }) => inputs.treatMissingData === 'breaching')
    expect(minding.map(({ name }) => name).sort()).toEqual(['AlarmInstanceDown', 'AlarmSilence'])
    for (const { name, inputs } of alarms) {
      const queries = (inputs.metricQueries ?? []) as { period?: number; metric?: { period: number } }[]
      const period = (inputs.period ??
        queries.map((query) => query.period ?? query.metric?.period).find(Boolean)) as number
      const longest = period >= 3600 ? 7 * 86_400 : 86_400
      expect(period * (inputs.evaluationPeriods as number), name).toBeLessThanOrEqual(longest)
    }
  })

  it('have a dashboard beside them, of metrics that exist', () => {
    const body = JSON.parse(stack.named('Dashboard').inputs.dashboardBody as string) as {
      widgets: { properties: { title: string; metrics: (string | { stat: string })[][] } }[]
    }
    expect(body.widgets.length).toBeGreaterThan(9)
    for (const { properties } of body.widgets)
      for (const line of properties.metrics) {
        const [namespace, metricName, ...rest] = line
        const { stat } = rest.pop() as { stat: string }
        const words = rest as string[]
        const dimensions = Object.fromEntries(
          words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1]!]] : [])),
        )
        const asked = { namespace, metricName, dimensions, stat } as Asked
        expect(missing(asked, stage), properties.title).toBeNull()
      }
  })
})
