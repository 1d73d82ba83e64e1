import { sns } from '@pulumi/aws'
import { interpolate, type Output, type Resource } from '@pulumi/pulumi'
import { createAlarm, type Rule } from './alarm.ts'
import { cloudfrontRegion } from './certificate.ts'
import { cdnMetric, instanceMetric, machineMetric, namespaceOf, serverMetric, snapshotMetric } from './metrics.ts'
import { policy } from './policy.ts'
import { isBurstable } from './server.ts'
import type { Stack } from './stack.ts'

/** Topics by region: an alarm can only call one of its own. */
export interface Topics {
  here: Output<string>
  cloudfront: Output<string>
}

/** Mail to VERITAS_ALARM_EMAIL, who has to confirm once. AWS's own key of SNS would keep alarms out. */
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
        // EventBridge sends nothing to a topic whose policy has a condition for it.
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

/** Every alarm. Each says what it means; what to do about it is in docs/operators.md. */
export function createAlarms(stack: Stack, topics: Topics, watched: Watched, after: Resource[]): void {
  const actions = [topics.here]
  const rules = [
    ...ofTheMachine(stack, watched.instanceId),
    ...ofEvents(stack, watched.instanceId),
    ...ofAnswers(stack, watched.instanceId),
    ...ofCopies(stack, watched),
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
      actions: [interpolate`arn:aws:automate:${stack.region}:ec2:recover`],
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
      text: 'The data volume is 70 % full; from 80 % on posts are refused. Raise VERITAS_DATA_VOLUME_GIB, or keep events for less long.',
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

function ofEvents(stack: Stack, instance: Output<string>): Draft[] {
  const metric = (...args: Parameters<typeof serverMetric> extends [Stack, unknown, ...infer Rest] ? Rest : never) =>
    serverMetric(stack, instance, ...args)
  return [
    {
      name: 'silence',
      text: 'For ten minutes the server told nothing of itself: it does not run, or the CloudWatch agent does not.',
      of: metric('veritas.ingest.waiting'),
      when: '<',
      threshold: 0,
      periodSeconds: 60,
      periods: 10,
      silence: 'wrong',
    },
    {
      name: 'waiting-events',
      text: 'Accepted events wait for more than five minutes: they are safe in the log, but figures are old. The store is away or too slow.',
      of: metric('veritas.ingest.oldest.age'),
      when: '>',
      threshold: 300,
      periodSeconds: 60,
      periods: 3,
    },
    {
      name: 'refused-posts',
      text: 'More than one post a second is answered with 429: clients are asked to come back later. The log is full, or one sender is above its limit.',
      of: {
        query: `SELECT SUM("veritas.ingest.requests.rejected") FROM "${namespaceOf(stack)}" WHERE reason = 'rate_limited'`,
      },
      when: '>',
      threshold: 300,
      periodSeconds: 300,
      periods: 2,
    },
    {
      name: 'flush-failures',
      text: 'For 15 minutes batches could not be stored at the first try. They are tried again; the log of the server has the cause.',
      of: metric('veritas.ingest.flush.failures'),
      when: '>',
      threshold: 0,
      periodSeconds: 300,
      periods: 3,
    },
    {
      name: 'imbalance',
      text: 'The count of events does not add up: received + recovered is not rejected + stored + duplicate + dead letters + waiting + lost. A defect of Veritas: keep the logs.',
      of: {
        expression: 'MAX([ABS(high), ABS(low)])',
        metrics: {
          high: metric('veritas.ingest.balance', 'Maximum'),
          low: metric('veritas.ingest.balance', 'Minimum'),
        },
      },
      when: '>',
      threshold: 0,
      periodSeconds: 60,
      periods: 5,
    },
    {
      name: 'lost-events',
      text: 'Accepted events were lost to damaged files of the log. Keep the volume as it is and look at the log of the server.',
      of: metric('veritas.ingest.events.lost'),
      when: '>',
      threshold: 0,
      periodSeconds: 60,
      periods: 1,
    },
    {
      name: 'dead-letters',
      text: 'The store would not take some events. They are kept: npm run dead-letters -- list.',
      of: metric('veritas.ingest.dead_letters'),
      when: '>',
      threshold: 0,
      periodSeconds: 300,
      periods: 3,
    },
  ]
}

function ofAnswers(stack: Stack, instance: Output<string>): Draft[] {
  return [
    {
      name: 'server-failures',
      text: 'More than 1 % of at least 50 requests in 5 minutes ended in a failure of the server (5xx). Its log has each with its cause.',
      of: {
        expression: 'IF(requests >= 50, 100 * failures / requests, 0)',
        metrics: {
          failures: serverMetric(stack, instance, 'veritas.http.failures'),
          requests: serverMetric(stack, instance, 'veritas.http.requests'),
        },
      },
      when: '>',
      threshold: 1,
      periodSeconds: 300,
      periods: 2,
    },
    {
      name: 'store-away',
      text: 'The store has not answered for five minutes. Events are still taken and wait in the log; pages say so.',
      of: serverMetric(stack, instance, 'veritas.store.up', 'Maximum'),
      when: '<',
      threshold: 1,
      periodSeconds: 60,
      periods: 5,
    },
  ]
}

function ofCopies(stack: Stack, { instanceId, snapshotPolicyId }: Watched): Draft[] {
  const lastExport = serverMetric(stack, instanceId, 'veritas.export.last_success')
  const lastBackup = serverMetric(stack, instanceId, 'veritas.backup.last_success')
  return [
    {
      name: 'export-missing',
      text: 'The last daily export is more than 26 hours old. npm run export -- --day YYYY-MM-DD makes one; missed days are caught up.',
      of: { expression: 'IF(last > 0, EPOCH(last) - last, 0)', metrics: { last: lastExport } },
      when: '>',
      threshold: 26 * 3600,
      periodSeconds: 300,
      periods: 3,
    },
    {
      name: 'export-never',
      text: 'For 27 hours there has been no complete export at all. The log of the server says why.',
      of: lastExport,
      when: '<',
      threshold: 1,
      periodSeconds: 3600,
      periods: 27,
    },
    {
      name: 'backup-missing',
      text: 'The last nightly copy of the database is more than 30 hours old. /var/log/veritas/backup.log says why; npm run backup makes one.',
      of: { expression: 'IF(last > 0, EPOCH(last) - last, 0)', metrics: { last: lastBackup } },
      when: '>',
      threshold: 30 * 3600,
      periodSeconds: 300,
      periods: 3,
    },
    {
      name: 'backup-never',
      text: 'For 31 hours there has been no copy of the database at all. /var/log/veritas/backup.log says why.',
      of: lastBackup,
      when: '<',
      threshold: 1,
      periodSeconds: 3600,
      periods: 31,
    },
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
