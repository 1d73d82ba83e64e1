import { cloudwatch } from '@pulumi/aws'
import type { Input, Resource } from '@pulumi/pulumi'
import type { Metric } from './metrics.ts'
import type { Stack } from './stack.ts'

/** When to raise an alarm. */
export interface Rule {
  /** Lower case, with dashes; the alarm is called veritas-STAGE-NAME. */
  name: string
  /** One or two sentences: what the alarm means and what to look at. */
  text: string
  /** A single metric, an expression over metrics by id, or a Metrics Insights query. */
  of: Metric | { expression: string; metrics: Record<string, Metric> } | { query: string }
  when: '>' | '>=' | '<'
  threshold: number
  periodSeconds: number
  /** Number of consecutive periods. */
  periods: number
  /** What missing data means; `fine` by default. */
  silence?: 'fine' | 'wrong'
  actions: Input<string>[]
  /** Automatic AWS actions to run when the alarm goes off, but not when it clears. */
  repairs?: Input<string>[]
  /** Region of the metric, if not that of the stack. */
  region?: string
}

const comparisons = {
  '>': 'GreaterThanThreshold',
  '>=': 'GreaterThanOrEqualToThreshold',
  '<': 'LessThanThreshold',
} as const

/** Creates a CloudWatch alarm for a rule, which also notifies when the alarm clears. */
export function createAlarm(stack: Stack, rule: Rule, after: Resource[]): cloudwatch.MetricAlarm {
  const { name, text, when, threshold, periods, silence = 'fine', actions, repairs = [], region } = rule
  const title = name.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase())
  return new cloudwatch.MetricAlarm(
    `Alarm${title}`,
    {
      name: `${stack.prefix}-${name}`,
      alarmDescription: text,
      ...measured(rule),
      comparisonOperator: comparisons[when],
      threshold,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      treatMissingData: silence === 'wrong' ? 'breaching' : 'notBreaching',
      alarmActions: [...actions, ...repairs],
      okActions: actions,
      ...(region ? { region } : {}),
    },
    { dependsOn: after },
  )
}

function measured({ of, periodSeconds }: Rule): Partial<cloudwatch.MetricAlarmArgs> {
  if ('query' in of)
    return { metricQueries: [{ id: 'q', expression: of.query, period: periodSeconds, returnData: true }] }
  if (!('metrics' in of)) return { ...ofMetric(of), statistic: of.stat, period: periodSeconds }
  return {
    metricQueries: [
      { id: 'result', expression: of.expression, returnData: true, label: 'result' },
      ...Object.entries(of.metrics).map(([id, metric]) => ({
        id,
        metric: { ...ofMetric(metric), stat: metric.stat, period: periodSeconds },
      })),
    ],
  }
}

function ofMetric({ namespace, name, dimensions }: Metric) {
  return { namespace, metricName: name, dimensions }
}
