import { cloudwatch, dlm, type ebs } from '@pulumi/aws'
import { jsonStringify, type Output } from '@pulumi/pulumi'
import { createSnapshotRole } from './iam.ts'
import { snapshotTag } from './server.ts'
import type { Stack } from './stack.ts'

/**
 * Daily snapshots of the data volume. Besides these, the instance makes a nightly copy of the database that can be
 * restored elsewhere (infra/box/veritas-backup.timer) and puts it into the data bucket.
 */
export function createSnapshots(stack: Stack, volume: ebs.Volume): dlm.LifecyclePolicy {
  const role = createSnapshotRole(stack)
  return new dlm.LifecyclePolicy('Snapshots', {
    // DLM only accepts letters, digits, spaces, - and _.
    description: `Veritas ${stack.stage} daily snapshots`,
    executionRoleArn: role.arn,
    state: 'ENABLED',
    policyDetails: {
      resourceTypes: ['VOLUME'],
      // A single tag, unique to this volume: with several, DLM selects every volume with any of them, such as the
      // system volume or those of other stages. Read from the volume itself, so that an untagged one is noticed.
      targetTags: volume.tags.apply((tags) => ({ [snapshotTag]: tags?.[snapshotTag] ?? '' })),
      schedules: [
        {
          name: 'daily',
          createRule: { interval: 24, intervalUnit: 'HOURS', times: '03:30' },
          retainRule: { count: stack.settings.snapshots },
          copyTags: true,
        },
      ],
    },
    tags: { Name: `${stack.prefix}-snapshots` },
  })
}

/** Notifies when a snapshot policy stops with an error: then no snapshot is attempted, so no failure is counted. */
export function createSnapshotEvents(stack: Stack, policy: dlm.LifecyclePolicy, topicArn: Output<string>): void {
  const rule = new cloudwatch.EventRule('SnapshotsStopped', {
    name: `${stack.prefix}-snapshots-stopped`,
    description: 'The policy of daily snapshots is in an error',
    eventPattern: jsonStringify({
      source: ['aws.dlm'],
      'detail-type': ['DLM Policy State Change'],
      resources: [policy.arn],
      detail: { state: ['ERROR'] },
    }),
  })
  new cloudwatch.EventTarget('SnapshotsStoppedMail', { rule: rule.name, arn: topicArn })
}
