import { iam } from '@pulumi/aws'
import { interpolate, type Output } from '@pulumi/pulumi'
import { assumedBy, policy, type Statement } from './policy.ts'
import type { Stack } from './stack.ts'
import type { Storage } from './storage.ts'

export interface ServerRole {
  instanceProfileName: Output<string>
  /** Policy and role are there: an instance may start. */
  ready: iam.RolePolicy
}

/** What the instance may do: fetch releases, read its parameters, write its backups, logs and metrics, be managed. */
export function createServerRole(stack: Stack, storage: Storage): ServerRole {
  const role = new iam.Role('ServerRole', {
    name: `${stack.prefix}-server`,
    description: `Veritas ${stack.stage}: the instance`,
    assumeRolePolicy: policy([
      { Sid: 'Instance', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: ['sts:AssumeRole'] },
    ]),
  })
  const ready = new iam.RolePolicy('ServerPolicy', {
    role: role.id,
    name: 'server',
    policy: policy([...ofTheServer(stack, storage), ...ofTheCertificate(stack), ...ofTheManagementAgent(stack)]),
  })
  const profile = new iam.InstanceProfile('ServerProfile', { name: `${stack.prefix}-server`, role: role.name })
  return { instanceProfileName: profile.name, ready }
}

function ofTheServer(stack: Stack, { releases, data }: Storage): Statement[] {
  const parameters = interpolate`arn:aws:ssm:${stack.region}:${stack.accountId}:parameter/veritas/${stack.stage}`
  const logs = interpolate`arn:aws:logs:${stack.region}:${stack.accountId}:log-group:/veritas/${stack.stage}/*`
  return [
    { Sid: 'Releases', Effect: 'Allow', Action: ['s3:GetObject'], Resource: [interpolate`${releases.arn}/*`] },
    {
      Sid: 'BackupsAndExports',
      Effect: 'Allow',
      // What is deleted or overwritten stays a week as an older version, which the server cannot delete.
      Action: [
        's3:GetObject',
        's3:PutObject',
        's3:DeleteObject',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      Resource: [interpolate`${data.arn}/backups/*`, interpolate`${data.arn}/exports/*`],
    },
    {
      Sid: 'ListBackupsAndExports',
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: [data.arn],
      Condition: { StringLike: { 's3:prefix': ['backups/*', 'exports/*'] } },
    },
    // AWS knows no s3:prefix of this action: a condition on it would never hold, and exports ask for it.
    { Sid: 'ListUploads', Effect: 'Allow', Action: ['s3:ListBucketMultipartUploads'], Resource: [data.arn] },
    {
      Sid: 'Parameters',
      Effect: 'Allow',
      Action: ['ssm:GetParametersByPath'],
      Resource: [parameters, interpolate`${parameters}/*`],
    },
    {
      Sid: 'Logs',
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
      Resource: [logs],
    },
    {
      Sid: 'Metrics',
      Effect: 'Allow',
      Action: ['cloudwatch:PutMetricData'],
      Resource: ['*'],
      Condition: { StringEquals: { 'cloudwatch:namespace': `Veritas/${stack.stage}` } },
    },
    { Sid: 'OwnTags', Effect: 'Allow', Action: ['ec2:DescribeTags'], Resource: ['*'] },
  ]
}

/** The instance proves that the name of the origin is its own by one record, and may write no other. */
function ofTheCertificate({ settings: { originName, hostedZoneId } }: Stack): Statement[] {
  if (!originName || !hostedZoneId) return []
  return [
    {
      Sid: 'ProveTheOrigin',
      Effect: 'Allow',
      Action: ['route53:ChangeResourceRecordSets'],
      Resource: [`arn:aws:route53:::hostedzone/${hostedZoneId}`],
      Condition: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': [`_acme-challenge.${originName}`],
          'route53:ChangeResourceRecordSetsRecordTypes': ['TXT'],
        },
      },
    },
    { Sid: 'ProofArrived', Effect: 'Allow', Action: ['route53:GetChange'], Resource: ['arn:aws:route53:::change/*'] },
    { Sid: 'FindTheZone', Effect: 'Allow', Action: ['route53:ListHostedZones'], Resource: ['*'] },
  ]
}

/**
 * What the agent of Systems Manager needs. AWS's own AmazonSSMManagedInstanceCore would let it read every parameter of
 * the account.
 */
function ofTheManagementAgent(stack: Stack): Statement[] {
  const documents = interpolate`arn:aws:ssm:${stack.region}`
  return [
    {
      Sid: 'Documents',
      Effect: 'Allow',
      Action: ['ssm:GetDocument', 'ssm:DescribeDocument'],
      Resource: [
        interpolate`${documents}:${stack.accountId}:document/${stack.prefix}-*`,
        interpolate`${documents}::document/AWS-*`,
        interpolate`${documents}::document/SSM-SessionManagerRunShell`,
        interpolate`${documents}:${stack.accountId}:document/SSM-SessionManagerRunShell`,
      ],
    },
    {
      Sid: 'Associations',
      Effect: 'Allow',
      Action: ['ssm:UpdateInstanceAssociationStatus', 'ssm:UpdateAssociationStatus'],
      Resource: [
        interpolate`arn:aws:ec2:${stack.region}:${stack.accountId}:instance/*`,
        interpolate`${documents}:${stack.accountId}:association/*`,
        interpolate`${documents}:${stack.accountId}:document/${stack.prefix}-*`,
      ],
    },
    {
      Sid: 'Agent',
      Effect: 'Allow',
      Action: [
        'ssm:UpdateInstanceInformation',
        'ssm:DescribeAssociation',
        'ssm:ListAssociations',
        'ssm:ListInstanceAssociations',
        'ssm:PutInventory',
        'ssm:PutComplianceItems',
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
        'ec2messages:AcknowledgeMessage',
        'ec2messages:DeleteMessage',
        'ec2messages:FailMessage',
        'ec2messages:GetEndpoint',
        'ec2messages:GetMessages',
        'ec2messages:SendReply',
      ],
      Resource: ['*'],
    },
  ]
}

/** The role by which Data Lifecycle Manager takes snapshots of volumes. */
export function createSnapshotRole(stack: Stack): iam.Role {
  const role = new iam.Role('SnapshotRole', {
    name: `${stack.prefix}-snapshots`,
    description: `Veritas ${stack.stage}: daily snapshots`,
    assumeRolePolicy: assumedBy('dlm.amazonaws.com', stack.accountId),
  })
  const region = interpolate`arn:aws:ec2:${stack.region}`
  new iam.RolePolicy('SnapshotPolicy', {
    role: role.id,
    name: 'snapshots',
    policy: policy([
      {
        Sid: 'Take',
        Effect: 'Allow',
        Action: ['ec2:CreateSnapshot', 'ec2:CreateSnapshots'],
        Resource: [interpolate`${region}:${stack.accountId}:volume/*`, interpolate`${region}::snapshot/*`],
      },
      {
        Sid: 'Drop',
        Effect: 'Allow',
        Action: ['ec2:DeleteSnapshot'],
        Resource: [interpolate`${region}::snapshot/*`],
        Condition: { StringEquals: { 'aws:ResourceTag/veritas:stage': stack.stage } },
      },
      {
        Sid: 'Tag',
        Effect: 'Allow',
        Action: ['ec2:CreateTags'],
        // Data Lifecycle Manager also tags in a call of its own, after the one that makes a snapshot.
        Resource: [interpolate`${region}::snapshot/*`],
      },
      {
        Sid: 'Look',
        Effect: 'Allow',
        Action: ['ec2:DescribeInstances', 'ec2:DescribeVolumes', 'ec2:DescribeSnapshots'],
        Resource: ['*'],
      },
    ]),
  })
  return role
}
