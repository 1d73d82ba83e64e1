import type { Input } from '@pulumi/pulumi'
import { type MetricName, metrics } from '../server/telemetry/metrics/names.ts'
import type { Stack } from './stack.ts'

/** A metric of CloudWatch. */
export interface Metric {
  namespace: string
  name: string
  dimensions: Record<string, Input<string>>
  stat: 'Average' | 'Maximum' | 'Minimum' | 'Sum'
}

type Essential = { [Name in MetricName]: (typeof metrics)[Name] extends { essential: true } ? Name : never }[MetricName]

/** Namespace of what the instance sends (infra/box/cloudwatch-agent.json). */
export const namespaceOf = (stack: Stack) => `Veritas/${stack.stage}`

/**
 * A metric of the server, over all its processes and attributes. Only those of METRICS_SET=essential reach CloudWatch,
 * which bills every series. The agent sends what counters grew by, so that Sum is what happened in the period.
 */
export function serverMetric(stack: Stack, instanceId: Input<string>, name: Essential, stat?: Metric['stat']): Metric {
  return {
    namespace: namespaceOf(stack),
    name,
    dimensions: { InstanceId: instanceId },
    stat: stat ?? (metrics[name].kind === 'counter' ? 'Sum' : 'Maximum'),
  }
}

/** What the agent sees of the machine. */
export function machineMetric(
  stack: Stack,
  instanceId: Input<string>,
  name: 'mem_used_percent' | 'disk_used_percent',
  path?: '/' | '/var/lib/veritas',
): Metric {
  const dimensions = { InstanceId: instanceId, ...(path ? { path } : {}) }
  return { namespace: namespaceOf(stack), name, dimensions, stat: 'Average' }
}

/** What EC2 tells of an instance by itself. */
export function instanceMetric(
  instanceId: Input<string>,
  name:
    | 'StatusCheckFailed'
    | 'StatusCheckFailed_System'
    | 'CPUCreditBalance'
    | 'CPUSurplusCreditsCharged'
    | 'CPUUtilization'
    | 'NetworkIn'
    | 'NetworkOut',
  stat: Metric['stat'] = 'Maximum',
): Metric {
  return { namespace: 'AWS/EC2', name, dimensions: { InstanceId: instanceId }, stat }
}

/** What CloudFront tells of a distribution, in us-east-1 alone. */
export function cdnMetric(
  distributionId: Input<string>,
  name: '5xxErrorRate' | '4xxErrorRate' | 'Requests',
  stat: Metric['stat'] = 'Average',
): Metric {
  return { namespace: 'AWS/CloudFront', name, dimensions: { DistributionId: distributionId, Region: 'Global' }, stat }
}

/** What Data Lifecycle Manager tells of a policy. */
export function snapshotMetric(
  policyId: Input<string>,
  name: 'SnapshotsCreateFailed' | 'SnapshotsCreateCompleted',
): Metric {
  return { namespace: 'AWS/EBS', name, dimensions: { DLMPolicyId: policyId }, stat: 'Sum' }
}
