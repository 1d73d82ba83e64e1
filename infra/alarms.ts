import { sns } from '@pulumi/aws'
import { interpolate, type Output, type Resource } from '@pulumi/pulumi'
import { createAlarm, type Rule } from './alarm.ts'
import { cloudfrontRegion } from './certificate.ts'
import { cdnMetric, instanceMetric, machineMetric, snapshotMetric } from './metrics.ts'
import { policy } from './policy.ts'
import { isBurstable } from './server.ts'
import { serverAlarms } from './server-alarms.ts'
import type { Stack } from './stack.ts'

/** SNS topics by region, since an alarm can only notify a topic in its own region. */
export interface Topics {
  here: Output<string>
  cloudfront: Output<string>
}

/** Topics that mail VERITAS_ALARM_EMAIL (to be confirmed once). Unencrypted: AWS's SNS key would not admit alarms. */
export function createTopics(stack: Stack): Topics {
  const topic = (title: string, region?: string) => {
    const made = new sns.Topic(title, { name: `${stack.prefix}-alarms`, ...(region ? { region } : {}) })
    if (stack.settings.alarmEmail)
      new sns.TopicSubscription(`${title}Email`, {
        topic: made.arn,
        protocol: 'email',
        endpoint: stack.settings.alarmEmail,
        ...(region ? { region } : {}),
      })
    new sns.TopicPolicy(`${title}Policy`, {
      arn: made.arn,
      policy: policy([
        {
          Sid: 'Alarms',
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: ['sns:Publish'],
          Resource: [made.arn],
          Condition: { StringEquals: { 'aws:SourceAccount': stack.accountId } },
        },
        // Without a condition: EventBridge cannot publish to a topic whose policy has one for it.
        {
          Sid: 'Events',
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: ['sns:Publish'],
          Resource: [made.arn],
        },
      ]),
      ...(region ? { region } : {}),
    })
    return made.arn
  }
  return { here: topic('Alarms'), cloudfront: topic('CloudFrontAlarms', cloudfrontRegion) }
}

export interface Watched {
  instanceId: Output<string>
  distributionId: Output<string>
  snapshotPolicyId: Output<string>
}

/** Creates all alarms. Their texts say what they mean; docs/operators.md says what to do. */
export function createAlarms(stack: Stack, topics: Topics, watched: Watched, after: Resource[]): void {
  const actions = [topics.here]
  const rules: Draft[] = [
    ...ofTheMachine(stack, watched.instanceId),
    ...serverAlarms(stack, watched.instanceId),
    ...ofSnapshots(watched),
  ]
  for (const rule of rules) createAlarm(stack, { ...rule, actions: [...actions, ...(rule.actions ?? [])] }, after)
  createAlarm(
    stack,
    {
      name: 'cdn-failures',
      text: 'More than 1 % of what CloudFront answers is a failure (5xx), of at least 100 requests in 5 minutes: the server or the way to it is broken.',
      of: {
        expression: 'IF(requests >= 100, rate, 0)',
        metrics: {
          rate: cdnMetric(watched.distributionId, '5xxErrorRate'),
          requests: cdnMetric(watched.distributionId, 'Requests', 'Sum'),
        },
      },
      when: '>',
      threshold: 1,
      periodSeconds: 300,
      periods: 2,
      actions: [topics.cloudfront],
      region: cloudfrontRegion,
    },
    after,
  )
}

type Draft = Omit<Rule, 'actions'> & Partial<Pick<Rule, 'actions'>>

function ofTheMachine(stack: Stack, instance: Output<string>): Draft[] {
  const minutes = { periodSeconds: 60, periods: 3 }
  return [
    {
      name: 'instance-down',
      text: 'The instance does not pass its status checks, or is stopped. Nothing is answered; what was accepted is on the data volume.',
      of: instanceMetric(instance, 'StatusCheckFailed'),
      when: '>=',
      threshold: 1,
      ...minutes,
      silence: 'wrong',
    },
    {
      name: 'hardware-broken',
      text: 'AWS reports a fault of the machine below the instance, which is moved to another one by this alarm.',
      of: instanceMetric(instance, 'StatusCheckFailed_System'),
      when: '>=',
      threshold: 1,
      ...minutes,
      periods: 2,
      repairs: [interpolate`arn:aws:automate:${stack.region}:ec2:recover`],
    },
    ...(isBurstable(stack.settings.instanceType)
      ? [
          {
            name: 'cpu-credits',
            text: 'The instance works more than its size can for long, and AWS bills the rest by the hour. Take a larger VERITAS_INSTANCE_TYPE.',
            of: instanceMetric(instance, 'CPUSurplusCreditsCharged', 'Sum'),
            when: '>',
            threshold: 0,
            periodSeconds: 300,
            periods: 3,
          } as const,
        ]
      : []),
    {
      name: 'memory',
      text: 'Less than a tenth of the memory is free. A process above VERITAS_MAX_MEMORY is started again without losing a request.',
      of: machineMetric(stack, instance, 'mem_used_percent'),
      when: '>',
      threshold: 90,
      periodSeconds: 300,
      periods: 2,
    },
    {
      name: 'data-disk',
      text: 'The data volume is 70 % full; on a full one posts are refused. Raise VERITAS_DATA_VOLUME_GIB, or keep events for less long.',
      of: machineMetric(stack, instance, 'disk_used_percent', '/var/lib/veritas'),
      when: '>',
      threshold: 70,
      periodSeconds: 300,
      periods: 2,
    },
    {
      name: 'system-disk',
      text: 'The system volume is 85 % full: releases cannot be unpacked on a full one. Look at /var/log and /opt/veritas/releases.',
      of: machineMetric(stack, instance, 'disk_used_percent', '/'),
      when: '>',
      threshold: 85,
      periodSeconds: 300,
      periods: 2,
    },
  ]
}

function ofSnapshots({ snapshotPolicyId }: Watched): Draft[] {
  return [
    {
      name: 'snapshot-failed',
      text: 'The daily snapshot of the data volume could not be taken. Look at Data Lifecycle Manager.',
      of: snapshotMetric(snapshotPolicyId, 'SnapshotsCreateFailed'),
      when: '>',
      threshold: 0,
      periodSeconds: 3600,
      periods: 1,
    },
  ]
}
