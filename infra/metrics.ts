import type { Input } from '@pulumi/pulumi'
import { type MetricName, metrics } from '../server/telemetry/metrics/names.ts'
import type { Stack } from './stack.ts'

/** A CloudWatch metric. */
export interface Metric {
  namespace: string
  name: string
  dimensions: Record<string, Input<string>>
  stat: 'Average' | 'Maximum' | 'Minimum' | 'Sum'
}

type Essential = { [Name in MetricName]: (typeof metrics)[Name] extends { essential: true } ? Name : never }[MetricName]

/** CloudWatch namespace of metrics sent by the instance (infra/box/cloudwatch-agent.json). */
export const namespaceOf = (stack: Stack) => `Veritas/${stack.stage}`

/**
 * A metric of the server, over all its processes and attributes. Only the essential ones reach CloudWatch, which bills
 * per series. The agent sends increments of counters, so Sum is the increase during the period.
 */
export function serverMetric(stack: Stack, instanceId: Input<string>, name: Essential, stat?: Metric['stat']): Metric {
  return {
    namespace: namespaceOf(stack),
    name,
    dimensions: { InstanceId: instanceId },
    stat: stat ?? (metrics[name].kind === 'counter' ? 'Sum' : 'Maximum'),
  }
}

/** A metric of the machine, measured by the CloudWatch agent. */
export function machineMetric(
  stack: Stack,
  instanceId: Input<string>,
  name: 'mem_used_percent' | 'disk_used_percent',
  path?: '/' | '/var/lib/veritas',
): Metric {
  const dimensions = { InstanceId: instanceId, ...(path ? { path } : {}) }
  return { namespace: namespaceOf(stack), name, dimensions, stat: 'Average' }
}

/** A metric that EC2 provides for an instance. */
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

/** A metric of a CloudFront distribution; these exist only in us-east-1. */
export function cdnMetric(
  distributionId: Input<string>,
  name: '5xxErrorRate' | '4xxErrorRate' | 'Requests',
  stat: Metric['stat'] = 'Average',
): Metric {
  return { namespace: 'AWS/CloudFront', name, dimensions: { DistributionId: distributionId, Region: 'Global' }, stat }
}

/** A metric of a Data Lifecycle Manager policy. */
export function snapshotMetric(
  policyId: Input<string>,
  name: 'SnapshotsCreateFailed' | 'SnapshotsCreateCompleted',
): Metric {
  return { namespace: 'AWS/EBS', name, dimensions: { DLMPolicyId: policyId }, stat: 'Sum' }
}
