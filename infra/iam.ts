import { iam } from '@pulumi/aws'
import { interpolate, type Output } from '@pulumi/pulumi'
import { assumedBy, policy, type Statement } from './policy.ts'
import type { Stack } from './stack.ts'
import type { Storage } from './storage.ts'

export interface ServerRole {
  instanceProfileName: Output<string>
  /** Policy that must exist before an instance starts. */
  ready: iam.RolePolicy
}

/** The instance's role: reads releases and parameters; writes backups, logs and metrics; can be managed by SSM. */
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
      // Deleted or overwritten objects stay for a week as old versions, which the server cannot delete.
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
    // This action does not support the condition s3:prefix, which would never match; exports need the action.
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

/** Lets the instance prove ownership of the origin's name for its certificate, by writing this one DNS record. */
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
 * Permissions for the Systems Manager agent. AWS's policy AmazonSSMManagedInstanceCore would also let it read every
 * parameter of the account.
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

/** The role with which Data Lifecycle Manager takes snapshots. */
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
        // Data Lifecycle Manager also tags snapshots in a separate call after creating them.
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
