import { cloudwatch, dlm, type ebs } from '@pulumi/aws'
import { jsonStringify, type Output } from '@pulumi/pulumi'
import { createSnapshotRole } from './iam.ts'
import { snapshotTag } from './server.ts'
import type { Stack } from './stack.ts'

/**
 * Daily snapshots of the data volume. The nightly copy of the database, which can be restored elsewhere, is made on the
 * instance (infra/box/veritas-backup.timer) and lies in the bucket of data.
 */
export function createSnapshots(stack: Stack, volume: ebs.Volume): dlm.LifecyclePolicy {
  const role = createSnapshotRole(stack)
  return new dlm.LifecyclePolicy('Snapshots', {
    // DLM takes letters, digits, blanks, - and _ alone.
    description: `Veritas ${stack.stage} daily snapshots`,
    executionRoleArn: role.arn,
    state: 'ENABLED',
    policyDetails: {
      resourceTypes: ['VOLUME'],
      // One tag, whose value only this volume has: of several DLM takes whatever has any of them, which would be the system
      // volume and those of other stages. Read of the volume itself, so that one without it is never counted as saved.
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

/** A policy that stops by an error takes no snapshots, so none of them can fail: AWS tells it as an event. */
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
