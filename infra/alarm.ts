import { cloudwatch } from '@pulumi/aws'
import type { Input, Resource } from '@pulumi/pulumi'
import type { Metric } from './metrics.ts'
import type { Stack } from './stack.ts'

/** When somebody is woken. */
export interface Rule {
  /** In small letters with dashes; the alarm is called veritas-STAGE-NAME. */
  name: string
  /** One or two sentences: what it means and what to look at. */
  text: string
  /** One metric, or several by their ids in an expression. */
  of: Metric | { expression: string; metrics: Record<string, Metric> } | { query: string }
  when: '>' | '>=' | '<'
  threshold: number
  periodSeconds: number
  /** So many periods in a row. */
  periods: number
  /** What a period without data means: nothing is wrong unless said otherwise. */
  silence?: 'fine' | 'wrong'
  actions: Input<string>[]
  /** What AWS does by itself when it goes off, and never when all is well again. */
  repairs?: Input<string>[]
  /** Where the metric is, if not in the region of the stack. */
  region?: string
}

const comparisons = {
  '>': 'GreaterThanThreshold',
  '>=': 'GreaterThanOrEqualToThreshold',
  '<': 'LessThanThreshold',
} as const

/** Makes the rule an alarm of CloudWatch, which also tells when all is well again. */
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
