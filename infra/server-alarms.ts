import type { Output } from '@pulumi/pulumi'
import type { Rule } from './alarm.ts'
import { alarmRules, type Measured } from './alarm-rules.ts'
import { namespaceOf, serverMetric } from './metrics.ts'
import type { Stack } from './stack.ts'

/** The rules on the server's own metrics as CloudWatch alarms. */
export function serverAlarms(stack: Stack, instance: Output<string>): Omit<Rule, 'actions'>[] {
  return alarmRules.map(({ name, text, of, when, threshold, periodSeconds, periods }) => ({
    name,
    text,
    // The value is never below 0, so only missing data triggers this alarm.
    ...(of.kind === 'silence' ? { when: '<', threshold: 0, silence: 'wrong' } : { when, threshold }),
    of: measured(stack, instance, of),
    periodSeconds,
    periods,
  }))
}

function measured(stack: Stack, instance: Output<string>, of: Measured): Rule['of'] {
  switch (of.kind) {
    case 'highest':
    case 'silence':
      return serverMetric(stack, instance, of.metric, 'Maximum')
    case 'lowest':
      return serverMetric(stack, instance, of.metric, 'Minimum')
    case 'magnitude': {
      const high = serverMetric(stack, instance, of.metric, 'Maximum')
      const low = serverMetric(stack, instance, of.metric, 'Minimum')
      return { expression: 'MAX([ABS(high), ABS(low)])', metrics: { high, low } }
    }
    // The agent sends increments; a counter that appears after the agent's start is sent with its first value.
    case 'ever':
      return serverMetric(stack, instance, of.metric)
    case 'growth':
      return of.where ? { query: queryOf(stack, of.metric, of.where) } : serverMetric(stack, instance, of.metric)
    case 'percent':
      return {
        expression: `IF(requests >= ${of.atLeast}, 100 * failures / requests, 0)`,
        metrics: {
          failures: serverMetric(stack, instance, of.part),
          requests: serverMetric(stack, instance, of.whole),
        },
      }
    case 'age':
      return {
        expression: 'IF(last > 0, EPOCH(last) - last, 0)',
        metrics: { last: serverMetric(stack, instance, of.metric) },
      }
  }
}

function queryOf(
  stack: Stack,
  metric: string,
  where: NonNullable<Extract<Measured, { kind: 'growth' }>['where']>,
): string {
  const conditions = Object.entries(where).map(([attribute, value]) => `${attribute} = '${value}'`)
  return `SELECT SUM("${metric}") FROM "${namespaceOf(stack)}" WHERE ${conditions.join(' AND ')}`
}
